// The counter's page: a scanner that types, a camera, a picture. Whatever finds a code fills in the one form and sends it.

interface Reader {
  prepareZXingModule(options: { overrides: { locateFile(path: string): string }; fireImmediately: boolean }): Promise<unknown>;
  readBarcodes(image: ImageData | Blob, options: object): Promise<{ text: string; isValid?: boolean }[]>;
}

declare global {
  interface Window {
    ZXingWASM?: Reader;
  }
}

export function counter(area: HTMLElement | null): void {
  if (!area) return;
  const form = document.querySelector<HTMLFormElement>("#code-form")!;
  const code = form.querySelector<HTMLTextAreaElement>("#code")!;
  const status = area.querySelector<HTMLElement>("[data-status]")!;
  const video = area.querySelector<HTMLVideoElement>("video")!;
  const frame = area.querySelector<HTMLElement>(".frame")!;
  const button = area.querySelector<HTMLButtonElement>("[data-camera]")!;
  const picture = area.querySelector<HTMLInputElement>("[data-picture]")!;
  const say = (text = "") => (status.textContent = text);

  let sent = false;
  const send = (text: string) => {
    if (sent || text === "") return;
    sent = true;
    code.value = text;
    say(area.dataset.found);
    stop();
    form.requestSubmit();
  };
  window.addEventListener("pageshow", () => (sent = false));

  // A USB scanner types the code and ends it with Enter.
  code.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && code.value.trim() !== "") {
      event.preventDefault();
      send(code.value);
    }
  });
  // It types wherever the page is: a key pressed outside of any control belongs to the code.
  document.addEventListener("keydown", (event) => {
    const control = event.target instanceof HTMLElement && event.target.closest("input, textarea, select, button, a, summary");
    if (!control && event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey && !event.altKey) code.focus();
  });

  // The reader is large and comes only when a camera or a picture is used.
  let loading: Promise<Reader> | undefined;
  const reader = () =>
    (loading ??= new Promise<Reader>((resolve, reject) => {
      const script = document.createElement("script");
      script.src = area.dataset.zxing!;
      script.onerror = () => reject(new Error("reader"));
      script.onload = () => {
        const zxing = window.ZXingWASM!;
        zxing
          .prepareZXingModule({ overrides: { locateFile: () => area.dataset.wasm! }, fireImmediately: true })
          .then(() => resolve(zxing), reject);
      };
      document.head.append(script);
    }));
  const options = { formats: ["QRCode"], tryHarder: true, tryInvert: false, maxNumberOfSymbols: 1, textMode: "Plain" };

  picture.addEventListener("change", async () => {
    const file = picture.files?.[0];
    if (!file) return;
    try {
      const found = await (await reader()).readBarcodes(file, options);
      if (found[0]?.text) send(found[0].text);
      else say(area.dataset.none);
    } catch {
      say(area.dataset.none);
    }
    picture.value = "";
  });

  let stream: MediaStream | undefined;
  const start = button.textContent;
  function stop(): void {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = undefined;
    video.hidden = frame.hidden = true;
    button.textContent = start;
  }
  const look = async () => {
    const canvas = document.createElement("canvas");
    const draw = canvas.getContext("2d", { willReadFrequently: true })!;
    const zxing = await reader();
    while (stream && !sent) {
      if (video.readyState >= 2 && video.videoWidth > 0) {
        canvas.width = video.videoWidth;
        canvas.height = video.videoHeight;
        draw.drawImage(video, 0, 0);
        const found = await zxing.readBarcodes(draw.getImageData(0, 0, canvas.width, canvas.height), options);
        if (found[0]?.text) return send(found[0].text);
      }
      await new Promise((next) => setTimeout(next, 120));
    }
  };
  button.addEventListener("click", async () => {
    if (stream) {
      stop();
      say();
      return;
    }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false });
      video.srcObject = stream;
      video.hidden = frame.hidden = false;
      await video.play();
      button.textContent = button.dataset.stop!;
      say(area.dataset.looking);
      await look();
    } catch {
      stop();
      say(area.dataset.denied);
    }
  });

  // A phone tells the verdict by touch as well.
  const verdict = document.querySelector<HTMLElement>("[data-verdict]")?.dataset.verdict;
  if (verdict && "vibrate" in navigator) navigator.vibrate(verdict === "valid" ? 120 : [200, 100, 200, 100, 200]);
}
