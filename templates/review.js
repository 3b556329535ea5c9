"use strict";
// One item at a time: read, press a digit, press Enter. Everything a student wrote goes in as text, never as markup.
(() => {
  const $ = (id) => document.getElementById(id);
  const writing = document.querySelector('meta[name="writing"]').content;
  let items = [];
  let current = null;

  const ask = async (address, body) => {
    const options = body === undefined ? {} : {
      method: "POST",
      headers: { "content-type": "application/json", "x-review-token": writing },
      body: JSON.stringify(body),
    };
    const answer = await fetch(address, options);
    const told = (answer.headers.get("content-type") || "").includes("json") ? await answer.json() : { problem: await answer.text() };
    if (!answer.ok) throw new Error(told.problem || "It did not work.");
    return told;
  };
  const guarded = (work) => async (...given) => {
    try {
      await work(...given);
    } catch (error) {
      $("problem").textContent = error.message === "Failed to fetch" ? "The review has been stopped. Start it again; every mark given is kept." : error.message;
    }
  };

  const shownItems = () => items.filter((item) => !$("only-open").checked || item.points === null || (current && item.number === current.number));
  const drawQueue = () => {
    const queue = $("queue");
    queue.replaceChildren();
    let check = null;
    for (const item of shownItems()) {
      if (item.check !== check) {
        check = item.check;
        const heading = document.createElement("li");
        heading.className = "heading";
        heading.textContent = check;
        queue.append(heading);
      }
      const line = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.number = item.number;
      if (item.points !== null) button.classList.add("done");
      if (current && item.number === current.number) button.setAttribute("aria-current", "true");
      const who = document.createElement("bdi");
      who.textContent = item.who;
      const state = document.createElement("span");
      state.className = "state";
      state.textContent = item.points === null ? "open" : item.points;
      button.append(who, state);
      button.addEventListener("click", () => show(item.number));
      line.append(button);
      queue.append(line);
    }
    const done = items.filter((item) => item.points !== null).length;
    $("progress").textContent = `${done} of ${items.length} marked`;
    queue.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  };

  const list = (id, texts) => {
    $(id).replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  };
  const choose = (points) => {
    $("exact").value = points;
    for (const button of $("points").children) button.setAttribute("aria-pressed", String(Number(button.textContent) === Number(points) && points !== ""));
  };
  const fill = (item) => {
    current = item;
    $("problem").textContent = "";
    for (const [id, key] of [["who", "who"], ["check", "check"], ["title", "title"], ["question", "question"], ["text", "text"], ["possible", "possible"]]) $(id).textContent = item[key];
    $("place").textContent = item.place;
    list("rubric", item.rubric);
    list("found", item.found);
    $("to-look-for").hidden = item.rubric.length === 0;
    const most = Number(item.possible);
    const step = most <= 6 ? 0.5 : 1;
    const buttons = [];
    for (let points = 0; points <= most + 1e-9; points += step) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: String(points) });
      button.addEventListener("click", () => choose(button.textContent));
      buttons.push(button);
    }
    $("points").replaceChildren(...buttons);
    choose(item.points ?? "");
    $("reason").value = item.outdated ? "" : item.reason;
    $("given").textContent = item.points !== null ? `${item.points} given by ${item.author}` : item.outdated ? "A mark was given for an earlier hand-in of this student; it does not count here." : "";
    $("undo").disabled = item.points === null;
    const known = items[item.number];
    if (known) known.points = item.points;
    $("item").hidden = false;
    drawQueue();
  };
  const show = guarded(async (number) => {
    fill(await ask(`/items/${number}`));
    $("item").focus({ preventScroll: true });
    window.scrollTo(0, 0);
  });
  const step = (by) => {
    const list = shownItems();
    const at = list.findIndex((item) => current && item.number === current.number);
    const next = list[at + by];
    return next && show(next.number);
  };
  const give = guarded(async () => {
    const open = items.filter((item) => item.points === null && item.number !== current.number);
    fill(await ask(`/items/${current.number}/mark`, { points: $("exact").value, reason: $("reason").value }));
    const next = open.find((item) => item.number > current.number) || open[0];
    if (next) await show(next.number);
  });
  const undo = guarded(async () => fill(await ask(`/items/${current.number}/undo`, {})));

  $("marking").addEventListener("submit", (event) => { event.preventDefault(); give(); });
  $("undo").addEventListener("click", undo);
  $("only-open").addEventListener("change", drawQueue);
  $("exact").addEventListener("input", () => choose($("exact").value));
  const keys = {
    h: () => { if ($("exact").value !== "") choose(String(Number($("exact").value) + 0.5)); },
    enter: () => give(),
    j: () => step(1),
    k: () => step(-1),
    u: () => $("undo").disabled || undo(),
    c: () => $("reason").focus(),
    o: () => { $("only-open").checked = !$("only-open").checked; drawQueue(); },
  };
  let pending = Promise.resolve();
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !current) return;
    const typing = event.target.matches("textarea, #exact");
    if (event.key === "Escape") { $("item").focus(); return; }
    if (typing) return;
    const key = event.key.toLowerCase();
    if (key === "enter" && event.target.matches("button")) return;
    const work = /^[0-9]$/.test(key) ? () => choose(key) : keys[key];
    if (work === undefined) return;
    event.preventDefault();
    // Who types faster than the answers come marks the next item, not this one twice.
    pending = pending.then(work);
  });
  guarded(async () => {
    items = (await ask("/items")).items;
    $("empty").hidden = items.length > 0;
    drawQueue();
    const first = items.find((item) => item.points === null) || items[0];
    if (first) await show(first.number);
  })();
})();
