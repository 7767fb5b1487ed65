// countdown draws how long a code is still good, keeps the screen on, and covers the code when its time is over.
export function countdown(stage: HTMLElement | null): void {
  if (!stage) return;
  const life = Number(stage.dataset.life) || 60;
  const end = performance.now() + (Number(stage.dataset.countdown) || 0) * 1000;
  const ring = stage.querySelector<SVGElement>(".ring .left");
  const left = stage.querySelector<HTMLElement>("[data-left]");
  const clock = stage.querySelector<HTMLElement>("[data-clock]");
  const over = stage.querySelector<HTMLElement>(".over");
  const say = stage.querySelector<HTMLElement>("[data-say]");
  const time = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit" });

  let awake: { release(): Promise<void> } | undefined;
  const wake = (navigator as unknown as { wakeLock?: { request(kind: string): Promise<{ release(): Promise<void> }> } }).wakeLock;
  wake?.request("screen").then((lock) => (awake = lock)).catch(() => undefined);

  const tick = () => {
    // A live clock tells a clerk at a glance that this is no screenshot.
    if (clock) clock.textContent = time.format(new Date());
    const seconds = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    if (left) left.textContent = String(seconds);
    ring?.setAttribute("stroke-dashoffset", String(100 - (100 * seconds) / life));
    if (seconds === 0) {
      if (over) over.hidden = false;
      if (say) say.textContent = say.dataset.say ?? "";
      awake?.release().catch(() => undefined);
      clearInterval(timer);
    }
  };
  const timer = setInterval(tick, 250);
  tick();
}
