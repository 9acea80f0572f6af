// A model's card on the page: the little Markdown that cards are written in, as elements.

import { make } from "./dom.js";

/** Headings, lists, tables and paragraphs; what stands before them between two lines of --- is for programs. */
export function written(card: string): Node[] {
  const blocks = card.replace(/^---\n[\s\S]*?\n---\n/, "").trim().split(/\n{2,}/);
  return blocks.map(block => {
    const lines = block.split("\n"), heading = /^#+ (.*)/.exec(lines[0]!);
    if (heading) return make("h3", {}, ...spans(heading[1]!));
    if (lines.every(line => line.startsWith("|"))) return table(lines);
    if (/^[-*] /.test(block)) {
      return make("ul", {}, ...block.split(/^[-*] /m).slice(1).map(item => make("li", {}, ...spans(item))));
    }
    return make("p", {}, ...spans(block));
  });
}

function table(lines: string[]): Node {
  const [head, , ...rows] = lines.map(line => line.split("|").slice(1, -1).map(cell => cell.trim()));
  return make("table", {},
    make("thead", {}, make("tr", {}, ...head!.map(cell => make("th", { scope: "col" }, ...spans(cell))))),
    make("tbody", {}, ...rows.map(row => make("tr", {}, ...row.map(cell => make("td", {}, ...spans(cell)))))));
}

function spans(text: string): (Node | string)[] {
  return text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map(part => part.startsWith("**") ? make("b", {}, part.slice(2, -2))
    : part.startsWith("`") ? make("code", {}, part.slice(1, -1)) : part);
}
