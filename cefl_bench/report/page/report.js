"use strict";
// Sorting, switching the metric and copying. Reads what the page holds, and never builds markup from it.

const say = (text) => { document.getElementById("status").textContent = text; };

function valueOf(row, column, kind) {
  const text = row.cells[column].dataset.sort ?? "";
  if (kind === "text") return text.toLowerCase();
  return text === "" ? null : Number(text);
}

function compare(a, b, sign) {
  if (a === null || b === null) return (a === null) - (b === null); // unknown numbers stay at the end
  return sign * (typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b);
}

function sortBy(button) {
  const heading = button.closest("th"), table = button.closest("table"), kind = button.dataset.kind;
  const lowFirst = kind === "text" || ["rank", "params", "macs", "latency", "training"].includes(button.textContent.trim().toLowerCase());
  const now = heading.getAttribute("aria-sort");
  const direction = now ? (now === "ascending" ? "descending" : "ascending") : lowFirst ? "ascending" : "descending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", direction);
  const body = table.tBodies[0], sign = direction === "ascending" ? 1 : -1;
  const rows = [...body.rows].map((row) => [valueOf(row, heading.cellIndex, kind), row]);
  rows.sort((a, b) => compare(a[0], b[0], sign));
  body.append(...rows.map(([, row]) => row));
  say(`sorted by ${button.textContent.trim()}, ${direction}`);
}

function show(button) {
  const table = button.closest("article");
  table.dataset.metric = button.dataset.show;
  for (const other of table.querySelectorAll("[data-show]")) other.setAttribute("aria-pressed", String(other === button));
}

async function copy(button) {
  const source = button.parentElement.querySelector("pre");
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch { // no permission, or an old browser: let the selection be copied
    getSelection().selectAllChildren(source);
    document.execCommand("copy");
  }
  button.textContent = "Copied";
  say("commands copied");
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
}

function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.kind) sortBy(button);
  else if (button.dataset.show) show(button);
  else if (button.classList.contains("copy")) copy(button);
});
addEventListener("hashchange", openTarget);
addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details.method-runs")) details.open = true;
});
openTarget();
