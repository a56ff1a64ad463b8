// Records from the webcam, without sound, what is then given like any video.
import { find } from "./shape.js";

const MOST_SECONDS = 30;
const FORMATS = [["video/webm;codecs=vp8", "webm"], ["video/webm", "webm"], ["video/mp4", "mp4"]];

export class Camera {
  #most; #taken; #say; #stream; #recorder; #ticking;

  constructor(mostSeconds, taken, say) {
    this.#most = Math.min(MOST_SECONDS, mostSeconds);
    this.#taken = taken;
    this.#say = say;
    find("leave").onclick = () => this.close();
    find("record").onclick = () => (this.#recorder ? this.#recorder.stop() : this.#record());
  }

  async open() {
    this.#say("");
    if (!navigator.mediaDevices || !window.MediaRecorder) {
      this.#say("This browser gives the page no webcam: open it under 127.0.0.1 or localhost.");
      return;
    }
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 640 }, facingMode: "user" } });
    } catch (error) {
      this.#say(`The webcam cannot be used (${error.message}): connect one, and allow this page to use it.`);
      return;
    }
    find("preview").srcObject = this.#stream;
    await find("preview").play();
    find("drop").hidden = true;
    find("booth").hidden = false;
    find("record").focus();
  }

  close() {
    const recorder = this.#recorder;
    this.#stop();
    if (recorder) {
      recorder.onstop = null; // what was recorded is thrown away
      recorder.stop();
    }
    for (const track of this.#stream.getTracks()) track.stop();
    find("preview").srcObject = null;
    find("drop").hidden = false;
    find("booth").hidden = true;
  }

  #record() {
    const [type, suffix] = FORMATS.find(([format]) => MediaRecorder.isTypeSupported(format)) ?? ["", "webm"];
    const parts = [];
    const recorder = new MediaRecorder(this.#stream, type ? { mimeType: type } : {});
    recorder.ondataavailable = (event) => parts.push(event.data);
    recorder.onstop = () => {
      const time = new Date().toTimeString().slice(0, 8).replaceAll(":", "-");
      this.#stop();
      this.close();
      this.#taken(new Blob(parts), `webcam ${time}.${suffix}`);
    };
    recorder.start();
    this.#recorder = recorder;
    const began = performance.now();
    const tick = () => {
      const seconds = (performance.now() - began) / 1000;
      find("clock").textContent = `${seconds.toFixed(0)} of ${this.#most} s`;
      if (seconds >= this.#most) recorder.stop();
    };
    this.#ticking = setInterval(tick, 200);
    tick();
    find("clock").hidden = false;
    find("record").textContent = "Stop and judge it";
    find("record").classList.add("on");
  }

  #stop() {
    clearInterval(this.#ticking);
    this.#recorder = null;
    find("clock").hidden = true;
    find("record").textContent = "Record";
    find("record").classList.remove("on");
  }
}
