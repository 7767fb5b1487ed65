// Early checks of the form that issues. The service checks again; this only spares a round trip.

// citizen checks a citizen number (GB 11643, ISO 7064 MOD 11-2).
export function citizen(code: string): boolean {
  if (!/^\d{17}[\dX]$/.test(code)) return false;
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = weights.reduce((total, weight, i) => total + weight * Number(code[i]), 0);
  return "10X98765432"[sum % 11] === code[17];
}

// uscc checks a unified social credit code (GB 32100).
export function uscc(code: string): boolean {
  const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY";
  if (code.length !== 18) return false;
  let sum = 0;
  for (let i = 0, weight = 1; i < 17; i++, weight = (weight * 3) % 31) {
    const value = alphabet.indexOf(code[i]!);
    if (value < 0) return false;
    sum += value * weight;
  }
  return alphabet[(31 - (sum % 31)) % 31] === code[17];
}

export function validation(form: HTMLFormElement | null): void {
  if (!form) return;
  const { required = "", number = "", good = "" } = form.dataset;

  const check = (input: HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement) => {
    const out = input.closest(".field")?.querySelector<HTMLElement>("[data-error]");
    if (!out) return;
    let message = "";
    let fine = false;
    const value = input.value.trim();
    if (value === "") {
      if (input.required) message = required;
    } else if (input.dataset.check === "holder") {
      const type = form.querySelector<HTMLSelectElement>(`[name="${input.name.replace(/code$/, "type")}"]`)?.value;
      const code = value.toUpperCase();
      if (type === "111" || type === "001") {
        fine = type === "111" ? citizen(code) : uscc(code);
        message = fine ? good : number;
      }
    }
    out.textContent = message;
    out.classList.toggle("good", fine);
    input.toggleAttribute("aria-invalid", message !== "" && !fine);
    if (message !== "" && !fine) input.setAttribute("aria-invalid", "true");
  };

  form.addEventListener("focusout", (event) => {
    const target = event.target;
    if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) {
      if (target.value !== "" || target.getAttribute("aria-invalid")) check(target);
    }
  });
}
