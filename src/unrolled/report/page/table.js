"use strict";
/* Tables of the class `sortable`: a click on a column's name sorts by it, another turns the order round. Values come from
   data-value where there is one, and what is empty stays last. A field before the table shows only rows with its words. */
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const collator = new Intl.Collator("en", {numeric: true});

  const value = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();
  const compare = (a, b) => (a === "") - (b === "") || (isNaN(a) || isNaN(b) ? collator.compare(a, b) : a - b);

  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      const keyed = [...body.rows].map((row) => [value(row, head.cellIndex), row]);
      keyed.sort(([a], [b]) => a === "" || b === "" ? compare(a, b) : direction * compare(a, b));
      body.append(...keyed.map(([, row]) => row));
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
    });
  }

  const filter = document.querySelector(`[aria-controls="${table.id}"]`);
  const status = filter.closest(".filter").querySelector("[role=status]");
  filter.closest(".filter").hidden = false;
  filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += !row.hidden;
    }
    status.textContent = filter.value ? `${shown} of ${body.rows.length}` : "";
  });
}
