// Elements by id, made by hand, and times as people read them.

export function byId<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

type Attributes = Record<string, string | number | boolean | undefined | ((event: never) => void)>;

export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K, attributes: Attributes = {}, ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value as EventListener);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
}

/** Seconds as [h:]mm:ss.mmm, or without the thousandths. */
export function clock(seconds: number, exact = true): string {
  const whole = Math.round(Math.abs(seconds) * 1000);
  const pad = (n: number, digits = 2) => String(n).padStart(digits, "0");
  const h = Math.floor(whole / 3_600_000), m = Math.floor(whole / 60_000) % 60;
  const s = Math.floor(whole / 1000) % 60;
  const minutes = h ? `${h}:${pad(m)}` : String(m);
  return `${seconds < -0.0005 ? "−" : ""}${minutes}:${pad(s)}${exact ? `.${pad(whole % 1000, 3)}` : ""}`;
}

/** "1:02.5", "62.5" or "1:00:02,5" in seconds; null where it is none of these. */
export function seconds(text: string): number | null {
  if (!/^(\d+:){0,2}\d+([.,]\d+)?$/.test(text.trim())) return null;
  return text.trim().replace(",", ".").split(":").reduce((sum, part) => 60 * sum + Number(part), 0);
}

/** Says something to those who listen with a screen reader. */
export function announce(text: string): void {
  const live = byId("live");
  live.textContent = live.textContent === text ? `${text} ` : text;
}

export function save(data: Blob, name: string): void {
  const url = URL.createObjectURL(data);
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
