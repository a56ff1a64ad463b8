// Takes videos, shows the queue, and the result of the one that is chosen.
import { Camera } from "./camera.js";
import { hide, show } from "./result.js";
import { read, remove, upload, watch } from "./server.js";
import { clock, element, find, long } from "./shape.js";

const about = await read("/about").catch((error) => {
  say(error.message);
  throw error;
});
const given = new Set(); // what this page gave: its results show themselves
let jobs = [];
let chosen = null;

find("model").textContent = `${about.method}, trained on ${about.trained_on}. It knows ${about.classes.length} classes: ${about.classes.join(", ")}.`;
find("limits").textContent = `Up to ${long(about.max_seconds)} and ${Math.round(about.max_bytes / 2 ** 20)} MB.`;
find("warnings").replaceChildren(...about.warnings.map((text) => element("p", {}, sentence(text))));
find("warnings").hidden = !about.warnings.length;

watch(update, (reached) => { find("gone").hidden = reached; });

// giving a video
const drop = find("drop");
find("choose").onclick = () => find("file").click();
find("file").onchange = (event) => { give([...event.target.files]); event.target.value = ""; };
for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => event.preventDefault());
document.addEventListener("dragover", () => drop.classList.add("over"));
for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => give([...event.dataTransfer.files]));

const camera = new Camera(about.max_seconds, (video, name) => give([new File([video], name)]), say);
find("camera").onclick = () => camera.open();

async function give(files) {
  say("");
  for (const file of files) {
    try {
      if (file.size > about.max_bytes) throw new Error(`${file.name} is too large: at most ${Math.round(about.max_bytes / 2 ** 20)} MB are taken.`);
      given.add(await upload(file, file.name));
      update(jobs);
    } catch (error) {
      say(error.message);
    }
  }
}

function say(text) {
  find("message").textContent = sentence(text);
  find("message").hidden = !text;
}

// the queue
function update(now) {
  jobs = now;
  find("queue").hidden = !jobs.length;
  const waiting = jobs.filter((job) => job.state === "waiting").map((job) => job.id);
  const list = find("jobs");
  const old = new Map([...list.children].map((item) => [item.dataset.id, item]));
  list.replaceChildren(...ordered().map((job) => drawn(job, old.get(job.id), waiting.indexOf(job.id) + 1)));
  if (chosen && !jobs.some((job) => job.id === chosen)) choose(null);
  const ready = jobs.find((job) => job.state === "done" && given.has(job.id));
  if (ready) {
    given.delete(ready.id);
    choose(ready);
  }
}

// What is being judged, what waits in its order, and what is over, the newest first.
function ordered() {
  const over = jobs.filter(isOver);
  return [...jobs.filter((job) => !isOver(job)), ...over.reverse()];
}

function isOver(job) {
  return job.state === "done" || job.state === "failed";
}

// An item of the list; one that is there already keeps its buttons, so that no click is lost.
function drawn(job, item, place) {
  if (!item) {
    item = element("li", { className: "job" });
    item.dataset.id = job.id;
    const open = element("button", { className: "open" }, "Show");
    const end = element("button", { className: "end" });
    open.onclick = () => choose(jobs.find((one) => one.id === job.id));
    end.onclick = () => remove(job.id).catch((error) => say(error.message));
    const acts = element("span", { className: "acts" }, open, end);
    item.append(element("span", { className: "name", title: job.name }, job.name), acts, element("span", { className: "state" }), element("progress", {}));
  }
  const [, acts, state, bar] = item.children;
  item.className = `job ${job.state}${job.id === chosen ? " current" : ""}`;
  acts.firstChild.hidden = job.state !== "done";
  acts.lastChild.textContent = isOver(job) ? "Delete" : "Cancel";
  acts.lastChild.setAttribute("aria-label", `${acts.lastChild.textContent} ${job.name}`);
  state.textContent = sentence(told(job, place));
  bar.hidden = job.state !== "running";
  if (job.state === "running" && job.total) bar.value = Math.min(job.done / job.total, 1);
  else bar.removeAttribute("value");
  return item;
}

function told(job, place) {
  if (job.state === "waiting") return place === 1 ? "next in the queue" : `number ${place} in the queue`;
  if (job.state === "running") {
    const what = job.step === "looking" ? "1 of 2: finding and judging faces" : "2 of 2: drawing the video";
    return `${what}, ${clock(job.done)}${job.total ? ` of ${clock(job.total)}` : ""}`;
  }
  return { arriving: "arriving", done: "ready" }[job.state] ?? job.error;
}

async function choose(job) {
  chosen = job?.id ?? null;
  for (const item of find("jobs").children) item.classList.toggle("current", item.dataset.id === chosen);
  if (!job) hide();
  else await show(job, about).catch((error) => say(error.message));
}

function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
