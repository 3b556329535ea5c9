"use strict";
// Sorting and filtering of the table of students, and drawing it as far as it is read: thousands of rows take seconds.
// Without this script all rows are shown.
document.documentElement.classList.add("scripted"); // the style leaves out what is not drawn at first
document.addEventListener("DOMContentLoaded", () => {
  const step = 250; // as in the style
  const table = document.querySelector("table.students");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const names = new Map(rows.map((row) => [row, row.cells[0].textContent.toLocaleLowerCase()]));
  const search = document.querySelector("#search");
  const open = document.querySelector("#open");
  const shown = document.querySelector("#shown");
  const more = document.querySelector("#more");
  let order = rows;
  let drawn = step;
  document.querySelector(".filter").hidden = false;

  const draw = () => {
    const wanted = search.value.trim().toLocaleLowerCase();
    let count = 0;
    for (const row of order) {
      const keep = names.get(row).includes(wanted) && (!open.checked || row.dataset.open === "1");
      count += keep ? 1 : 0;
      row.hidden = !keep || count > drawn;
    }
    shown.textContent = `${count} of ${rows.length}` + (count > drawn ? `, the first ${drawn} drawn` : "");
    more.hidden = count <= drawn;
  };
  const drawTo = (number) => {
    drawn = number;
    draw();
  };
  const drawFromTop = () => drawTo(step);
  const drawAll = () => drawTo(rows.length);
  search.addEventListener("input", drawFromTop);
  open.addEventListener("change", drawFromTop);
  more.addEventListener("click", drawAll);
  new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && drawTo(drawn + step), {
    rootMargin: "1000px",
  }).observe(more);
  window.addEventListener("beforeprint", drawAll);

  const key = (row, column) => {
    const cell = row.cells[column];
    const number = cell.dataset.sort ?? cell.textContent;
    return cell.dataset.text === undefined && number.trim() !== "" && !Number.isNaN(Number(number))
      ? Number(number)
      : cell.textContent.toLocaleLowerCase();
  };
  const compare = (a, b) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? 1 : -1);
  table.querySelectorAll("thead th").forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const descending = heading.getAttribute("aria-sort") === "ascending";
      table.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const keyed = rows.map((row, place) => [key(row, column), place, row]);
      keyed.sort((a, b) => (descending ? -1 : 1) * compare(a[0], b[0]) || a[1] - b[1]);
      order = keyed.map(([, , row]) => row);
      body.append(...order);
      drawFromTop();
    });
  });
  draw();
  body.classList.add("drawn");
});
