"use strict";
// Sorting and filtering of the table of students; the page is complete without it.
(() => {
  const table = document.querySelector("table.students");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const search = document.querySelector("#search");
  const open = document.querySelector("#open");
  const shown = document.querySelector("#shown");
  const names = rows.map((row) => row.cells[0].textContent.toLocaleLowerCase());
  document.querySelector(".filter").hidden = false;

  const filter = () => {
    const wanted = search.value.trim().toLocaleLowerCase();
    let count = 0;
    rows.forEach((row, i) => {
      const keep = names[i].includes(wanted) && (!open.checked || row.dataset.open === "1");
      row.hidden = !keep;
      count += keep ? 1 : 0;
    });
    shown.textContent = `${count} of ${rows.length}`;
  };
  search.addEventListener("input", filter);
  open.addEventListener("change", filter);

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
      body.append(...keyed.map(([, , row]) => row));
    });
  });
  filter();
})();
