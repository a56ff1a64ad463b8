// Draws what was said of each face over time, with a head that shows where the video is.
import { clock, drawing, element, find } from "./shape.js";

const WIDTH = 1000; // units of every drawing; it is stretched to the width of the page

// Calls `jump` with the seconds that are clicked; gives `at`, which moves the head.
export function drawCourse(view, values, jump) {
  const box = find("course");
  const total = view.seconds || 1;
  const x = (seconds) => (Math.min(Math.max(seconds, 0), total) / total) * WIDTH;
  const head = element("div", { className: "head" });
  const several = view.faces.length > 1;
  const rows = view.faces.flatMap((face) => [
    ...(several ? [element("div", { className: "face" }, face.name)] : []),
    marks(view, face, total, jump),
    row("labels", "label", 20, labels(face, view, x)),
    row("scores", `${values}s 0 to 1`, 100, scores(face, view, x)),
    ...(face.activation.some((value) => value !== null) ? [row("activation", "activation", 40, activation(face, x))] : []),
  ]);
  const legend = view.classes.map(({ name, colour }) => {
    const item = element("span", {}, element("i"), element("span", {}, name), element("span"));
    item.style.setProperty("--colour", colour);
    return item;
  });
  find("legend").replaceChildren(...legend);
  box.replaceChildren(...rows, ticks(total, x), element("div", { className: "lane" }, head));
  box.tabIndex = 0;
  box.setAttribute("role", "slider");
  box.setAttribute("aria-label", "Time in the video, in seconds");
  box.setAttribute("aria-valuemin", 0);
  box.setAttribute("aria-valuemax", total.toFixed(1));

  let now = 0;
  const to = (seconds) => jump(Math.min(Math.max(seconds, 0), total));
  const point = (event) => {
    const lane = box.querySelector(".lane").getBoundingClientRect();
    to(((event.clientX - lane.left) / lane.width) * total);
  };
  box.onpointerdown = (event) => {
    if (event.target.closest(".mark")) return;
    box.setPointerCapture(event.pointerId);
    point(event);
  };
  box.onpointermove = (event) => { if (box.hasPointerCapture(event.pointerId)) point(event); };
  box.onkeydown = (event) => {
    const step = { ArrowLeft: -0.5, ArrowRight: 0.5, Home: -total, End: total }[event.key];
    if (step === undefined || event.target !== box) return;
    event.preventDefault();
    to(now + step);
  };

  function at(seconds) {
    now = seconds;
    head.style.left = `${x(seconds) / WIDTH * 100}%`;
    box.setAttribute("aria-valuenow", seconds.toFixed(1));
    const given = view.faces.map((face) => scoresAt(face, seconds)).find((found) => found);
    const best = given ? given.indexOf(Math.max(...given)) : -1;
    legend.forEach((item, label) => {
      item.className = label === best ? "best" : "";
      item.lastChild.textContent = given ? given[label].toFixed(2) : "";
    });
  }
  at(0);
  return { at };
}

function row(kind, what, height, parts) {
  const picture = drawing("svg", { viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: "none", "aria-hidden": true }, ...parts);
  return element("div", { className: `row ${kind}` }, element("span", { className: "what" }, what), picture);
}

// The clips that stand out, as buttons.
function marks(view, face, total, jump) {
  const line = element("div", { className: "row marks" }, element("span", { className: "what" }, "stands out"));
  for (const moment of view.moments.filter((one) => one.face === face.name)) {
    const { name, colour } = view.classes[moment.label];
    const mark = element("button", { type: "button", className: "mark", title: `${name} ${moment.score.toFixed(2)}, ${clock(moment.start)}` }, "★");
    mark.setAttribute("aria-label", `jump to ${name} at ${clock(moment.start)}`);
    mark.style.left = `${moment.start / total * 100}%`;
    mark.style.width = `${(moment.end - moment.start) / total * 100}%`;
    mark.style.setProperty("--colour", colour);
    mark.onclick = () => jump(moment.start);
    line.append(mark);
  }
  return line;
}

function labels(face, view, x) {
  return face.labels.map(({ start, end, label }) => drawing("rect", { x: x(start), y: 0, width: x(end) - x(start), height: 20, fill: view.classes[label].colour }));
}

function scores(face, view, x) {
  const lines = view.classes.flatMap(({ colour }, label) => face.courses.map((course) => {
    const points = course.seconds.map((seconds, place) => `${x(seconds)},${100 - 100 * course.scores[place][label]}`);
    return drawing("polyline", { class: "line", points: points.join(" "), stroke: colour });
  }));
  return [...away(face, x, 100), ...lines];
}

function activation(face, x) {
  const highest = Math.max(2, ...face.activation.filter((value) => value !== null));
  const y = (value) => 40 - (value / highest) * 38;
  const bars = [];
  face.activation.forEach((value, place) => {
    const from = face.activation_seconds[place];
    const to = face.activation_seconds[place + 1] ?? from;
    if (value !== null) bars.push(drawing("rect", { class: "wave", x: x(from), y: y(value), width: x(to) - x(from), height: 40 - y(value) }));
  });
  return [...away(face, x, 40), ...bars, drawing("line", { class: "even", x1: 0, x2: WIDTH, y1: y(1), y2: y(1), "vector-effect": "non-scaling-stroke" })];
}

function away(face, x, height) {
  return face.away.map(([start, end]) => drawing("rect", { class: "away", x: x(start), y: 0, width: x(end) - x(start), height }));
}

function ticks(total, x) {
  const step = [0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800].find((one) => total / one <= 6) ?? 3600;
  const line = element("div", { className: "ticks" });
  const put = (seconds) => {
    const tick = element("span", {}, seconds ? clock(seconds) : "0 s");
    tick.style.left = `${x(seconds) / WIDTH * 100}%`;
    line.append(tick);
  };
  for (let seconds = 0; seconds < total - step * 0.6; seconds += step) put(seconds);
  put(total);
  return line;
}

// Between two windows, on the line that is drawn.
function scoresAt(face, seconds) {
  const course = face.courses.find((one) => seconds >= one.seconds[0] && seconds <= one.seconds.at(-1));
  if (!course) return null;
  const place = Math.max(1, course.seconds.findIndex((one) => one >= seconds));
  const [before, after] = [course.seconds[place - 1], course.seconds[place]];
  const share = after > before ? (seconds - before) / (after - before) : 0;
  return course.scores[place].map((score, label) => course.scores[place - 1][label] * (1 - share) + score * share);
}
