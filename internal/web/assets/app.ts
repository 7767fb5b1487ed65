// The pages work without any of this. Scripts only add what a page cannot do by itself: watching, counting, checking early.
import { countdown } from "./show";
import { counter } from "./verify";
import { validation } from "./validate";

document.documentElement.classList.add("scripted");

// A page that says something went wrong, or a verdict, says it first to those who listen.
document.querySelector<HTMLElement>("[data-focus]")?.focus();

for (const button of document.querySelectorAll<HTMLButtonElement>("[data-print]")) {
  button.addEventListener("click", () => window.print());
}

// A form that acts is sent once, however often it is clicked; the service refuses twins in any case.
for (const form of document.querySelectorAll<HTMLFormElement>("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "1";
  });
  window.addEventListener("pageshow", () => delete form.dataset.sent);
}

// While a license waits for its seal, its page asks now and then and shows the new state as soon as there is one.
const poll = document.querySelector<HTMLElement>("[data-poll]");
if (poll) {
  let wait = 1000;
  const ask = async () => {
    try {
      const answer = await fetch(poll.dataset.poll!, { headers: { Accept: "application/json" } });
      if (answer.ok && (await answer.json()).state !== poll.dataset.state) {
        location.reload();
        return;
      }
    } catch {
      // Offline for a moment: the next try will tell.
    }
    wait = Math.min(wait * 1.5, 15000);
    setTimeout(ask, wait);
  };
  setTimeout(ask, wait);
}

countdown(document.querySelector<HTMLElement>("[data-countdown]"));
counter(document.querySelector<HTMLElement>("[data-verify]"));
validation(document.querySelector<HTMLFormElement>("form[data-validate]"));
