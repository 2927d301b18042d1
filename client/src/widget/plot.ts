// A number over time, as `watch` in a notebook shows it.

import style from "./plot.css";
import type { WidgetModel } from "./wire.js";

type Point = [time: number, value: number];

const WIDTH = 640;
const HEIGHT = 200;
const LEFT = 60;
const BOTTOM = 24;
const SVG = "http://www.w3.org/2000/svg";

function render({ model, el }: { model: WidgetModel; el: HTMLElement }): () => void {
  const root = document.createElement("figure");
  root.className = "transports-plot";
  const sheet = document.createElement("style");
  sheet.textContent = style;
  const caption = document.createElement("figcaption");
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  root.append(caption, svg);
  el.append(sheet, root);

  let points: Point[] = model.get("points");
  const draw = () => {
    const done: boolean = model.get("done");
    caption.textContent = `${model.get("path")}${done ? "" : ", live"}`;
    root.dataset.points = String(points.length);
    svg.replaceChildren(...picture(points, model.get("seconds"), done));
  };
  const more = (content: { points?: Point[] }) => {
    if (!content.points) return;
    points = [...points, ...content.points];
    draw();
  };
  const all = () => {
    points = model.get("points");
    draw();
  };
  model.on("msg:custom", more);
  model.on("change:points", all);
  model.on("change:done", draw);
  draw();
  return () => {
    model.off("msg:custom", more);
    model.off("change:points", all);
    model.off("change:done", draw);
  };
}

function picture(points: Point[], seconds: number, done: boolean): SVGElement[] {
  const last = points.at(-1);
  if (!last) return [];
  const values = points.map(([, value]) => value);
  let low = values.reduce((a, b) => Math.min(a, b));
  let high = values.reduce((a, b) => Math.max(a, b));
  if (low === high) [low, high] = [low - 1, high + 1];
  const end = done ? seconds : Math.max(last[0], Math.min(seconds, 1));
  const x = (time: number) => LEFT + (time / (end || 1)) * (WIDTH - LEFT - 8);
  const y = (value: number) => 8 + ((high - value) / (high - low)) * (HEIGHT - BOTTOM - 8);
  // A value holds until the next one.
  let path = `M${x(points[0]![0])} ${y(points[0]![1])}`;
  for (const [time, value] of points.slice(1)) path += `H${x(time)}V${y(value)}`;
  path += `H${x(end)}`;
  return [
    text(LEFT - 6, y(high), "end", shown(high)),
    text(LEFT - 6, y(low), "end", shown(low)),
    text(LEFT, HEIGHT - 6, "start", "0 s"),
    text(WIDTH - 8, HEIGHT - 6, "end", `${shown(end)} s`),
    shape("path", { d: `M${LEFT} 8V${HEIGHT - BOTTOM}H${WIDTH - 8}`, class: "axes" }),
    shape("path", { d: path, class: "line" }),
  ];
}

function shape(name: string, attributes: Record<string, string>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function text(x: number, y: number, anchor: string, content: string): SVGElement {
  const element = shape("text", { x: String(x), y: String(y), "text-anchor": anchor, "dominant-baseline": "middle" });
  element.textContent = content;
  return element;
}

function shown(number: number): string {
  return String(Number(number.toPrecision(4)));
}

export default { render };
