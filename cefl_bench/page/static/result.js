// Shows what came out of a video: the drawn video, the clips that stand out, and everything over time.
import { drawCourse } from "./course.js";
import { read, reading } from "./server.js";
import { clock, element, find } from "./shape.js";

const FILES = { "annotated.mp4": "the video", "timeline.png": "a figure", "timeline.csv": "a table", "timeline.json": "all numbers (JSON)" };
const video = find("video");
let course = null;
let following = 0; // the request for the next picture
let wanted = null; // the job whose result is to be shown: answers may come in another order

export async function show(job, about) {
  wanted = job.id;
  const at = (file) => reading(`/jobs/${job.id}/${file}`);
  const view = await read(`/jobs/${job.id}/view.json`);
  if (wanted !== job.id) return;
  find("empty").hidden = true;
  find("shown").hidden = false;
  find("title").textContent = view.name;
  find("first-warning").textContent = about.rendered ? `This model was ${about.warnings[0]}.` : "";
  find("first-warning").hidden = !about.rendered;
  find("no-face").textContent = `No face could be judged: ${view.no_face.join(", ")}.`;
  find("no-face").hidden = !view.no_face.length;
  find("more").textContent = `${view.num_more_faces} more faces are in the table.`;
  find("more").hidden = !view.num_more_faces;
  find("moments-part").hidden = !view.moments.length;
  find("course-part").hidden = !view.faces.length;
  find("summary").replaceChildren(...view.faces.map((face) => summary(face, view)));
  find("moments").replaceChildren(...view.moments.map((moment) => card(moment, view, at)));
  course = drawCourse(view, about.values, jump);
  find("downloads").replaceChildren("Keep:", ...Object.entries(FILES).map(([file, what]) => element("a", { href: at(file), download: kept(view.name, file) }, what)));
  video.src = at("annotated.mp4");
  follow();
  if (matchMedia("(max-width: 820px)").matches) find("result").scrollIntoView({ behavior: "smooth" });
}

export function hide() {
  wanted = null;
  course = null;
  video.removeAttribute("src");
  video.load();
  find("shown").hidden = true;
  find("empty").hidden = false;
}

function jump(seconds) {
  video.currentTime = seconds;
  tell(seconds);
}

// Controls of our own below the video: a browser's would lie over what is drawn at its foot.
find("play").onclick = video.onclick = () => (video.paused ? video.play() : video.pause());
find("seek").oninput = (event) => jump(Number(event.target.value));
find("slow").onclick = () => pressed("slow", (on) => { video.playbackRate = on ? 0.5 : 1; });
find("mute").onclick = () => pressed("mute", (on) => { video.muted = on; });
find("full").onclick = () => video.requestFullscreen?.();
video.onloadedmetadata = () => {
  find("seek").max = video.duration;
  video.playbackRate = find("slow").getAttribute("aria-pressed") === "true" ? 0.5 : 1;
  tell(video.currentTime);
};
for (const kind of ["play", "pause", "ended", "seeked"]) video.addEventListener(kind, follow);

// While the video plays, with each of its pictures: more often than it tells by itself.
function follow() {
  find("play").textContent = video.paused ? "▶" : "❚❚";
  find("play").setAttribute("aria-label", video.paused ? "Play" : "Pause");
  tell(video.currentTime);
  cancelAnimationFrame(following);
  if (!video.paused && !video.ended) following = requestAnimationFrame(follow);
}

function tell(seconds) {
  course?.at(seconds);
  find("seek").value = seconds;
  find("time").textContent = `${clock(seconds)} of ${clock(video.duration || 0)}`;
}

function pressed(id, act) {
  const on = find(id).getAttribute("aria-pressed") !== "true";
  find(id).setAttribute("aria-pressed", on);
  act(on);
}

// What a face is taken for, and for how much of its time.
function summary(face, view) {
  const seconds = view.classes.map(() => 0);
  for (const { start, end, label } of face.labels) seconds[label] += end - start;
  const whole = seconds.reduce((sum, one) => sum + one, 0) || 1;
  const chips = view.classes.map(({ name, colour }, label) => {
    const chip = element("span", { className: "chip" }, `${name} ${Math.round(100 * seconds[label] / whole)} %`);
    chip.style.setProperty("--colour", colour);
    return [seconds[label], chip];
  });
  const most = chips.filter(([time]) => time > 0).sort((one, other) => other[0] - one[0]).slice(0, 3).map(([, chip]) => chip);
  most[0]?.classList.add("first");
  const who = view.faces.length > 1 ? face.name : "the face";
  return element("p", {}, element("span", {}, `To this model, ${who} looks like`), ...most, element("span", { className: "muted" }, "of the time"));
}

function card(moment, view, at) {
  const { name, colour } = view.classes[moment.label];
  const who = view.faces.length > 1 ? `, ${moment.face}` : "";
  const words = element("span", {}, element("b", {}, `${name} ${moment.score.toFixed(2)}`), `${clock(moment.start)}${who}`);
  const made = element("button", { type: "button", className: "moment" }, element("img", { src: at(moment.image), alt: "" }), words);
  if (moment.activation !== null) made.title = `activation ${moment.activation.toFixed(1)}`;
  made.style.setProperty("--colour", colour);
  made.onclick = () => {
    jump(moment.start);
    video.scrollIntoView({ block: "nearest", behavior: "smooth" });
  };
  return made;
}

function kept(name, file) {
  return `${name.replace(/\.[^.]*$/, "")} ${file}`;
}
