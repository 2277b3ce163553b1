"use strict";
// Everything that comes from the data goes onto the page as text; none of it is ever read as HTML.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (name) => document.getElementById(name);
  const root = document.documentElement;
  const rows = data.rows;
  const TONES = 10, SHOWN = 60, THUMBS = 24, LABELS = 60, REACH = 14;

  // ---- pieces of the page --------------------------------------------------------------------------------------

  function make(name, attributes = {}, ...inside) {
    const svg = ["svg", "path", "polygon", "rect"].includes(name);
    const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "tone") made.style.setProperty("--tone", value);
      else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
      else if (value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...inside.filter((part) => part !== null && part !== undefined && part !== ""));
    return made;
  }

  function unpack(packed) {
    const text = atob(packed.data), bytes = new Uint8Array(text.length);
    for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
    return new {f: Float32Array, u: Uint32Array, i: Int32Array}[packed.type](bytes.buffer);
  }

  const number = (value) => value.toLocaleString("en");
  const short = (value) => String(Number(value.toPrecision(4)));
  const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
  const later = (work, wait) => { let timer = 0; return (...given) => { clearTimeout(timer); timer = setTimeout(work, wait, ...given); }; };

  // ---- what there is -------------------------------------------------------------------------------------------

  const points = data.points ? unpack(data.points) : null;
  const order = unpack(data.order);
  const traits = data.traits.map((trait) => ({...trait, values: unpack(trait.values)}));
  for (const look of data.findings) for (const item of look.items) item.samples = unpack(item.samples);
  for (const trait of traits) {
    if (!trait.names) continue;
    trait.counts = new Uint32Array(trait.names.length);
    for (const code of trait.values) trait.counts[code]++;
  }
  const trait = (name) => traits.find((one) => one.name === name);
  const named = (name, at) => { const one = trait(name); return one && one.names ? one.names[one.values[at]] : null; };

  const state = {by: null, codes: new Set(), words: "", chosen: null, why: "", finding: null, sample: -1, mode: "move"};
  const lit = new Uint8Array(rows).fill(1);
  let litCount = rows, tones = [], colours = new Int32Array(rows), tints = new Int32Array(rows);

  // ---- colours -------------------------------------------------------------------------------------------------

  const style = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const packedColour = (hex) => (0xff000000 | parseInt(hex.slice(5, 7), 16) << 16 | parseInt(hex.slice(3, 5), 16) << 8 | parseInt(hex.slice(1, 3), 16));
  const RAMP = {light: ["#1b3a6b", "#2f6a94", "#3f9599", "#72b87e", "#c3c34c"], dark: ["#35548f", "#3f86b0", "#4fb0aa", "#9ad184", "#f4ec6a"]};

  function ramp(share) {
    const stops = RAMP[root.dataset.theme], place = Math.min(0.9999, Math.max(0, share)) * (stops.length - 1), at = Math.floor(place);
    const parts = [1, 3, 5].map((from) => {
      const [low, high] = [stops[at], stops[at + 1]].map((stop) => parseInt(stop.slice(from, from + 2), 16));
      return Math.round(low + (high - low) * (place - at)).toString(16).padStart(2, "0");
    });
    return "#" + parts.join("");
  }

  // Names share ten tones where there are more: each takes the tone whose nearest other name on the map is farthest.
  function apart(by) {
    if (by.tone) return by.tone;
    const many = by.names.length;
    by.tone = Array.from({length: many}, (_, at) => at % TONES);
    if (many <= TONES || !points) return by.tone;
    const {x, y} = middles(by), taken = Array.from({length: TONES}, () => []), used = new Uint32Array(TONES);
    for (const code of [...by.counts.keys()].sort((a, b) => by.counts[b] - by.counts[a])) {
      let best = 0, most = -1;
      for (let tone = 0; tone < TONES; tone++) {
        let near = 4;
        for (const other of taken[tone]) near = Math.min(near, Math.hypot(x[code] - x[other], y[code] - y[other]));
        const score = near / (1 + 0.15 * used[tone]);
        if (score > most) { most = score; best = tone; }
      }
      by.tone[code] = best; taken[best].push(code); used[best]++;
    }
    return by.tone;
  }

  // Where most of each name's samples are: the middle of its fullest square and those around it.
  function middles(by) {
    if (by.middles) return by.middles;
    const SQUARES = 18, square = (at) => [Math.min(SQUARES - 1, points[2 * at] * SQUARES | 0), Math.min(SQUARES - 1, points[2 * at + 1] * SQUARES | 0)];
    const many = by.names.length, counts = new Uint32Array(many * SQUARES * SQUARES), best = new Int32Array(many).fill(-1);
    for (let at = 0; at < rows; at++) {
      const code = by.values[at], [a, b] = square(at), here = (code * SQUARES + b) * SQUARES + a;
      if (++counts[here] > (best[code] < 0 ? 0 : counts[best[code]])) best[code] = here;
    }
    const x = new Float64Array(many), y = new Float64Array(many), sum = new Uint32Array(many);
    for (let at = 0; at < rows; at++) {
      const code = by.values[at], [a, b] = square(at), here = best[code] % (SQUARES * SQUARES);
      if (Math.abs(here % SQUARES - a) < 2 && Math.abs((here / SQUARES | 0) - b) < 2) { x[code] += points[2 * at]; y[code] += points[2 * at + 1]; sum[code]++; }
    }
    by.middles = {x: x.map((value, code) => value / sum[code]), y: y.map((value, code) => value / sum[code])};
    return by.middles;
  }

  const FIXED = {right: "--right", wrong: "--wrong", none: "--none"};

  function colour() {
    dip();
    // What is not looked at keeps a breath of its colour: mixed into the paper beforehand, since layers of it would add up.
    const paper = packedColour(style("--paper")), mixed = new Map();
    const mix = (tone) => [0, 8, 16].reduce((sum, shift) => sum | Math.round(0.76 * (paper >> shift & 255) + 0.24 * (tone >> shift & 255)) << shift, -0x1000000);
    for (let at = 0; at < rows; at++) {
      if (!mixed.has(colours[at])) mixed.set(colours[at], mix(colours[at]));
      tints[at] = mixed.get(colours[at]);
    }
  }

  function dip() {
    const by = state.by;
    if (!by) { tones = []; colours.fill(packedColour(style("--accent"))); return; }
    if (by.names) {
      const palette = Array.from({length: TONES}, (_, at) => style(`--c${at}`)), of = apart(by);
      const special = by.name === "right" || by.name === "finding";
      let next = 0;
      tones = by.names.map((name, code) => special && FIXED[name] ? style(FIXED[name]) : palette[special ? next++ % TONES : of[code]]);
      const packed = tones.map(packedColour);
      for (let at = 0; at < rows; at++) colours[at] = packed[by.values[at]];
      return;
    }
    [by.low, by.high] = [Infinity, -Infinity];
    for (const value of by.values) if (value === value) { by.low = Math.min(by.low, value); by.high = Math.max(by.high, value); }
    const steps = Array.from({length: 128}, (_, at) => packedColour(ramp(at / 127))), none = packedColour(style("--none"));
    const span = by.high - by.low || 1;
    for (let at = 0; at < rows; at++) colours[at] = by.values[at] === by.values[at] ? steps[Math.round(127 * (by.values[at] - by.low) / span)] : none;
  }

  const toneOf = (at) => "#" + [0, 8, 16].map((shift) => (colours[at] >>> shift & 255).toString(16).padStart(2, "0")).join("");

  // ---- the map: points are blended into an image, so that any browser draws many of them without a graphics card ----

  const map = $("map"), canvas = $("points"), over = $("over"), hint = $("hint");
  const paint = canvas.getContext("2d", {alpha: false}), lines = over.getContext("2d");
  const PAD = 16;
  const frame = {width: 0, height: 0, scale: 1, image: null, pixels: null};
  const home = {k: 1, x: 0, y: 0}, now = {k: 1, x: 0, y: 0};
  let hovered = -1, drawn = [], waiting = false, moving = 0, frames = 0;

  function measure() {
    const box = map.getBoundingClientRect();
    frame.scale = Math.min(2, window.devicePixelRatio || 1);
    frame.width = Math.max(1, Math.round(box.width)); frame.height = Math.max(1, Math.round(box.height));
    for (const one of [canvas, over]) { one.width = frame.width * frame.scale; one.height = frame.height * frame.scale; }
    frame.image = new ImageData(canvas.width + 2 * PAD, canvas.height + 2 * PAD);
    frame.pixels = new Int32Array(frame.image.data.buffer);
    const was = {...home};
    let [high, tall] = [1e-6, 1e-6];
    if (points) for (let at = 0; at < rows; at++) { high = Math.max(high, points[2 * at]); tall = Math.max(tall, points[2 * at + 1]); }
    home.k = 0.88 * Math.min(frame.width / high, (frame.height - 40) / tall);
    home.x = (frame.width - home.k * high) / 2; home.y = (frame.height - 24 - home.k * tall) / 2;
    if (was.k === now.k && was.x === now.x && was.y === now.y || now.k === 1) Object.assign(now, home);
    draw();
  }

  const BASE = Math.max(1.35, Math.min(5.5, 22 / Math.pow(rows, 0.235)));
  const radius = () => Math.min(9, BASE * Math.pow(Math.max(1, now.k / home.k), 0.42));

  // Sixteen stamps for the quarters of a pixel: points glide, they do not jump from pixel to pixel.
  function stamps(size, stride, strength) {
    const reach = Math.ceil(size + 1), made = [];
    for (let quarter = 0; quarter < 16; quarter++) {
      const [left, top] = [(quarter & 3) / 4 + 0.125, (quarter >> 2) / 4 + 0.125], places = [], shares = [];
      for (let y = -reach; y <= reach; y++) for (let x = -reach; x <= reach; x++) {
        const share = Math.round(128 * strength * Math.max(0, Math.min(1, size + 0.5 - Math.hypot(x + 0.5 - left, y + 0.5 - top))));
        if (share > 2) { places.push(y * stride + x); shares.push(share); }
      }
      made.push([Int32Array.from(places), Int32Array.from(shares)]);
    }
    return made;
  }

  // In the order in which they are drawn, so that memory is read from front to back. Shares go to 128: sums stay in 31 bits.
  const turned = new Float32Array(points ? 2 * rows : 0);
  if (points) for (let turn = 0; turn < rows; turn++) { turned[2 * turn] = points[2 * order[turn]]; turned[2 * turn + 1] = points[2 * order[turn] + 1]; }

  function splat(wanted, size, strength, inks) {
    const {pixels} = frame, stride = frame.image.width, tall = frame.image.height, made = stamps(size, stride, strength);
    const k = now.k * frame.scale, left = now.x * frame.scale + PAD, top = now.y * frame.scale + PAD, edge = Math.ceil(size + 2);
    for (let turn = 0; turn < rows; turn++) {
      const x = turned[2 * turn] * k + left, y = turned[2 * turn + 1] * k + top;
      if (!(x > edge && y > edge && x < stride - edge && y < tall - edge)) continue;
      const at = order[turn];
      if (lit[at] !== wanted) continue;
      const column = x | 0, row = y | 0, [places, shares] = made[((x - column) * 4 | 0) | ((y - row) * 4 | 0) << 2];
      const start = row * stride + column, tone = inks[at], odd = tone & 0xff00ff, even = tone >> 8 & 0xff, count = places.length;
      for (let part = 0; part < count; part++) {
        const place = start + places[part], share = shares[part], rest = 128 - share, old = pixels[place];
        pixels[place] = -0x1000000 | Math.imul(old & 0xff00ff, rest) + Math.imul(odd, share) >> 7 & 0xff00ff | Math.imul(old >> 8 & 0xff, rest) + Math.imul(even, share) << 1 & 0xff00;
      }
    }
  }

  function render() {
    waiting = false;
    if (!points || !frame.pixels) return;
    const start = performance.now(), size = radius() * frame.scale;
    frame.pixels.fill(packedColour(style("--paper")));
    if (litCount < rows) splat(0, size * 0.8, 0.9, tints);
    splat(1, size, litCount < rows ? 0.95 : 0.85, colours);
    paint.putImageData(frame.image, -PAD, -PAD);
    sketch();
    performance.measure("linnet frame", {start});
    if (++frames % 400 === 0) performance.clearMeasures("linnet frame");
  }

  function draw() { if (!waiting) { waiting = true; requestAnimationFrame(render); } }

  const place = (at) => [points[2 * at] * now.k + now.x, points[2 * at + 1] * now.k + now.y];

  function ring(at, tone, width, more) {
    const [x, y] = place(at);
    lines.beginPath(); lines.arc(x, y, radius() + more, 0, 2 * Math.PI);
    lines.lineWidth = width; lines.strokeStyle = tone; lines.stroke();
  }

  function sketch() {
    lines.setTransform(frame.scale, 0, 0, frame.scale, 0, 0);
    lines.clearRect(0, 0, frame.width, frame.height);
    if (!points || !frame.pixels) return;
    names();
    if (hovered >= 0) ring(hovered, style("--ink"), 1.5, 2);
    if (state.sample >= 0) { ring(state.sample, style("--paper"), 5, 4); ring(state.sample, style("--ink"), 2, 4); }
    if (drawn.length > 1) {
      lines.beginPath(); drawn.forEach(([x, y], at) => at ? lines.lineTo(x, y) : lines.moveTo(x, y)); lines.closePath();
      lines.fillStyle = style("--accent") + "1c"; lines.fill();
      lines.setLineDash([5, 4]); lines.lineWidth = 1.5; lines.strokeStyle = style("--accent"); lines.stroke(); lines.setLineDash([]);
    }
  }

  function names() {
    const by = state.by;
    if (!by || !by.names || by.name === "right" || by.name === "finding" || by.names.length > 400) return;
    const {x, y} = middles(by), taken = [], font = style("--sans");
    lines.font = `600 12px ${font}`; lines.textAlign = "center"; lines.textBaseline = "middle"; lines.lineJoin = "round";
    const wanted = [...by.counts.keys()].filter((code) => by.counts[code] && (!state.codes.size || state.codes.has(code)));
    const [paper, ink, faint, isLit] = [style("--paper") + "e0", style("--ink"), style("--faint"), new Uint8Array(by.names.length)];
    if (litCount === rows) isLit.fill(1); else for (let at = 0; at < rows; at++) if (lit[at]) isLit[by.values[at]] = 1;
    let shown = 0;
    for (const code of wanted.sort((a, b) => isLit[b] - isLit[a] || by.counts[b] - by.counts[a])) {
      const left = x[code] * now.k + now.x, top = y[code] * now.k + now.y - radius() - 10, half = lines.measureText(by.names[code]).width / 2 + 5;
      if (left < half || top < 12 || left > frame.width - half || top > frame.height - 12) continue;
      if (taken.some(([a, b, c]) => Math.abs(a - left) < c + half && Math.abs(b - top) < 17)) continue;
      taken.push([left, top, half]);
      lines.lineWidth = 4; lines.strokeStyle = paper; lines.strokeText(by.names[code], left, top);
      lines.fillStyle = isLit[code] ? ink : faint; lines.fillText(by.names[code], left, top);
      if (++shown === LABELS) break;
    }
  }

  function nearest(x, y, reach) {
    let best = -1, least = reach * reach;
    for (let at = 0; at < rows; at++) {
      const [left, top] = [points[2 * at] * now.k + now.x - x, points[2 * at + 1] * now.k + now.y - y], far = left * left + top * top;
      if (far < least && (lit[at] || litCount === 0)) { least = far; best = at; }
    }
    return best;
  }

  function zoom(factor, x = frame.width / 2, y = frame.height / 2) {
    const k = Math.max(home.k * 0.4, Math.min(home.k * 2000, now.k * factor));
    now.x = x - (x - now.x) * k / now.k; now.y = y - (y - now.y) * k / now.k; now.k = k;
    draw();
  }

  function glide(target) {
    cancelAnimationFrame(moving);
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) { Object.assign(now, target); draw(); return; }
    const from = {...now}, start = performance.now();
    const step = () => {
      const share = Math.min(1, (performance.now() - start) / 320), eased = 1 - Math.pow(1 - share, 3);
      now.k = from.k * Math.pow(target.k / from.k, eased);
      const weight = target.k === from.k ? eased : (now.k - from.k) / (target.k - from.k);
      now.x = from.x + (target.x - from.x) * weight; now.y = from.y + (target.y - from.y) * weight;
      draw();
      if (share < 1) moving = requestAnimationFrame(step);
    };
    step();
  }

  // Move only as far as is needed to see these samples, and never so near that nothing else is seen.
  function show(samples) {
    if (!points || !samples.length) return;
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const at of samples) {
      left = Math.min(left, points[2 * at]); right = Math.max(right, points[2 * at]);
      top = Math.min(top, points[2 * at + 1]); bottom = Math.max(bottom, points[2 * at + 1]);
    }
    const fits = 0.72 * Math.min(frame.width / Math.max(1e-6, right - left), frame.height / Math.max(1e-6, bottom - top));
    const k = Math.max(home.k, Math.min(fits, home.k * 2.2));
    glide(k === home.k ? home : {k, x: frame.width / 2 - k * (left + right) / 2, y: frame.height / 2 - k * (top + bottom) / 2});
  }

  // ---- which samples are lit -----------------------------------------------------------------------------------

  const haystack = [];
  function found(words, at) {
    haystack[at] ??= [data.ids[at], data.texts ? data.texts[at] : "", ...traits.filter((one) => one.names && one.names.length > 1).map((one) => one.names[one.values[at]])].join("\n").toLowerCase();
    return words.every((word) => haystack[at].includes(word));
  }

  function light() {
    const words = state.words.toLowerCase().split(/\s+/).filter(Boolean), {by, codes, chosen} = state;
    lit.fill(chosen ? 0 : 1);
    if (chosen) for (const at of chosen) lit[at] = 1;
    litCount = 0;
    for (let at = 0; at < rows; at++) {
      if (lit[at] && (codes.size && !codes.has(by.values[at]) || words.length && !found(words, at))) lit[at] = 0;
      litCount += lit[at];
    }
    $("count").textContent = litCount < rows ? `${number(litCount)} of ${plural(rows, "sample")}` : plural(rows, "sample");
    $("clear").hidden = litCount === rows && !state.chosen;
    panel(); draw();
  }

  function choose(samples, why, finding = null) {
    state.chosen = samples; state.why = why; state.finding = finding;
    for (const one of document.querySelectorAll(".finding")) one.setAttribute("aria-pressed", String(one.item === finding && finding !== null));
    for (const one of document.querySelectorAll(".evidence")) one.remove();
    light();
  }

  function clear() {
    state.codes.clear(); state.words = ""; $("search").value = "";
    choose(null, ""); legend();
    if (points) glide(home);
  }

  function* litOnes() { for (let turn = 0; turn < rows; turn++) if (lit[order[turn]]) yield order[turn]; }

  // ---- the legend ----------------------------------------------------------------------------------------------

  function legend() {
    const by = state.by, box = $("legend");
    box.replaceChildren(); box.classList.toggle("some", state.codes.size > 0);
    if (!by) return;
    if (!by.names) {
      const bar = make("div", {class: "ramp", role: "img", "aria-label": `${by.name} from ${short(by.low)} to ${short(by.high)}`});
      bar.style.background = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(ramp).join(", ")})`;
      box.append(bar, make("div", {class: "ends"}, make("span", {}, short(by.low)), make("span", {}, short(by.high))));
      return;
    }
    const codes = [...by.names.keys()].filter((code) => by.counts[code]);
    for (const code of codes) {
      const entry = make("button", {type: "button", class: "entry", tone: tones[code], "aria-pressed": String(state.codes.has(code)), title: by.names[code],
        onclick: () => { state.codes.has(code) ? state.codes.delete(code) : state.codes.add(code); legend(); light(); }},
        make("i"), make("span", {}, by.names[code]), make("b", {}, number(by.counts[code])));
      entry.code = code; box.append(entry);
    }
    if (codes.length > TONES && by.name !== "finding") box.append(make("p", {class: "note"}, `${number(codes.length)} names share ${TONES} colours; neighbours on the map differ.`));
  }

  function setBy(name) {
    state.by = trait(name) ?? null; state.codes.clear();
    $("by").value = name;
    colour(); legend(); light(); again();
  }

  // ---- findings ------------------------------------------------------------------------------------------------

  const TITLES = {confusions: "Confusions", redundancy: "Redundant units", sensitivity: "Sensitive layers", near_duplicates: "Near duplicates",
    "near duplicates": "Near duplicates", label_issues: "Doubtful labels", out_of_distribution: "Foreign samples", slices: "Weak slices", forgetting: "Forgotten by the small one"};
  const titled = (kind) => TITLES[kind] ?? (kind.charAt(0).toUpperCase() + kind.slice(1)).replaceAll("_", " ");

  function table(cells) {
    return make("table", {class: "rows"}, make("tbody", {}, ...cells.map(([name, value]) => make("tr", {}, make("th", {scope: "row"}, name), make("td", {}, value)))));
  }

  function findings() {
    const box = $("findings");
    if (!data.findings.length) { box.hidden = true; return; }
    box.append(make("h2", {}, "Findings"));
    data.findings.forEach((look, turn) => {
      const list = make("div"), holder = make("details", {class: "look", open: turn === 0}, make("summary", {}, titled(look.kind), make("b", {}, number(look.count))), list);
      if (!look.items.length) list.append(make("p", {class: "note"}, "Looked, and found nothing."));
      grow(list, look, 0);
      if (look.facts.length) list.append(make("details", {class: "look"}, make("summary", {}, "How this was looked for"), table(look.facts)));
      box.append(holder);
    });
  }

  function grow(list, look, from) {
    const until = Math.min(look.items.length, from + SHOWN), added = [];
    for (const item of look.items.slice(from, until)) {
      const one = make("button", {type: "button", class: "finding", "aria-pressed": "false", onclick: () => pick(one, item)}, item.statement,
        item.samples.length > 1 ? make("em", {}, plural(item.samples.length, "sample")) : null);
      one.item = item; added.push(one);
    }
    if (until < look.items.length) {
      const more = make("button", {type: "button", class: "more", onclick: () => { const place_ = more.previousSibling; more.remove(); const rest = make("div"); place_.after(rest); grow(rest, look, until); }},
        `${number(look.items.length - until)} more`);
      added.push(more);
    } else if (look.count > look.items.length) added.push(make("p", {class: "note"}, `and ${number(look.count - look.items.length)} more, which this page does not list`));
    list.prepend(...added);
  }

  function pick(one, item) {
    if (state.finding === item) { choose(null, ""); return; }
    state.codes.clear(); legend();
    choose(item.samples.length ? item.samples : null, item.statement, item);
    one.after(make("div", {class: "evidence look"}, table(item.evidence)));
    show(item.samples);
    if (item.samples.length && item.samples.length <= 3) open(item.samples[0]);
  }

  // ---- one sample ----------------------------------------------------------------------------------------------

  const details = new Map(Object.entries(data.samples).map(([at, one]) => [Number(at), one]));
  const asked = new Map();

  async function fetched(what, at) {
    const answer = await fetch(`${what}/${at}`);
    if (!answer.ok) throw new Error(`the page's server answered ${answer.status}`);
    return answer.json();
  }

  function detailOf(at) {
    if (details.has(at)) return Promise.resolve(details.get(at));
    if (!data.served) return Promise.resolve(null);
    if (!asked.has(at)) asked.set(at, fetched("sample", at).then((one) => { details.set(at, one); if (details.size > 600) details.delete(details.keys().next().value); return one; }).finally(() => asked.delete(at)));
    return asked.get(at);
  }

  function facts(at) {
    const said = traits.filter((one) => !["answer", "right", "confidence", "finding"].includes(one.name))
      .map((one) => [one.name, one.names ? one.names[one.values[at]] : Number.isNaN(one.values[at]) ? "not known" : short(one.values[at])]);
    return said;
  }

  function about(at) {
    const told = [];
    for (const look of data.findings) for (const item of look.items) if (item.samples.length && item.samples.length <= 50 && item.samples.includes(at) && told.length < 6) told.push(item);
    return told.length ? make("ul", {class: "about", "aria-label": "Findings about this sample"}, ...told.map((item) => make("li", {}, make("button", {type: "button", onclick: () => { choose(item.samples, item.statement, item); show(item.samples); }}, item.statement)))) : null;
  }

  function verdict(at) {
    const answer = named("answer", at), target = named(data.target, at), sure = trait("confidence");
    if (answer === null) return null;
    const right = named("right", at) !== "wrong", share = sure ? sure.values[at] : NaN;
    return make("p", {class: "verdict"}, make("span", right ? {} : {class: "wrong"}, answer), make("small", {},
      [right ? "right" : `should be ${target}`, Number.isNaN(share) ? "" : `${Math.round(100 * share)} % sure`].filter(Boolean).join(", ")));
  }

  let opened = 0;
  async function open(at, announce = false) {
    const turn = ++opened, box = $("sample");
    state.sample = at; draw(); mark();
    if (box.nextElementSibling.querySelector(".empty")) box.nextElementSibling.replaceChildren();
    const shell = [make("div", {class: "head"}, make("h3", {}, data.ids[at])), verdict(at)].filter(Boolean);
    let one;
    try { one = await detailOf(at); } catch (error) { one = {parts: [{kind: "error", text: `this sample cannot be had: ${error.message}; is linnet look still running?`}], facts: []}; }
    if (turn !== opened) return;
    const body = one ? one.parts.map((part) => make("div", {class: "part"}, ...drawnPart(part))) : [];
    if (!one) {
      if (data.texts) body.push(make("p", {class: "said"}, data.texts[at]));
      body.push(make("p", {class: "note"}, "This saved page does not carry what the sample holds. linnet look without --save shows it."));
    }
    const known = new Set((one?.facts ?? []).map(([name]) => name));
    const shownFacts = [...(one?.facts ?? []), ...facts(at).filter(([name]) => !known.has(name))];
    box.replaceChildren(...shell, ...body, ...[shownFacts.length ? table(shownFacts) : null, about(at)].filter(Boolean));
    if (announce) $("count").textContent = `${data.ids[at]}${named("answer", at) === null ? "" : `, answered ${named("answer", at)}`}`;
    if (!one || !data.explains) return;
    if (one.attribution === undefined && data.served) {
      try { one.attribution = await fetched("attribution", at); } catch { one.attribution = null; }
    }
    if (turn === opened && one.attribution) attributed(box, one);
  }

  function drawnPart(part) {
    if (part.kind === "error") return [make("p", {class: "broken"}, part.text)];
    if (part.kind === "image") return [make("div", {class: part.small ? "stage small" : "stage"}, make("img", {src: part.uri, alt: part.column})), make("p", {class: "note"}, part.note)];
    if (part.kind === "audio") return [sound(part), make("p", {class: "note"}, part.note)];
    if (part.kind === "text") return [make("p", {class: "said"}, ...spanned(part.text, part.spans))];
    return [make("p", {class: "items"}, part.items.join(" ") || "(none)")];
  }

  function spanned(text, spans) {
    const letters = [...text], parts = [];
    let at = 0;
    for (const [start, end, label] of spans) {
      parts.push(letters.slice(at, start).join(""), make("span", {class: "span"}, letters.slice(start, end).join("")), make("small", {}, label));
      at = end;
    }
    return [...parts, letters.slice(at).join("")];
  }

  const ICONS = {play: "M6.5 4.5v11l9-5.5z", pause: "M6 4.5h3v11H6zM11 4.5h3v11h-3z"};

  function sound(part) {
    const audio = new Audio(part.uri), mark_ = make("path", {d: ICONS.play}), played = make("div", {class: "played unplayed"});
    const play = make("button", {type: "button", class: "play", "aria-label": "Play", onclick: () => audio.paused ? audio.play() : audio.pause()}, make("svg", {viewBox: "0 0 20 20", "aria-hidden": "true"}, mark_));
    const seek = make("input", {type: "range", min: 0, max: 1000, value: 0, "aria-label": "Position in the recording", oninput: () => { audio.currentTime = part.seconds * seek.value / 1000; tick(); }});
    const many = part.peaks.length, edge = (sign) => part.peaks.map((peak, at) => `${at},${26 + sign * Math.max(0.6, peak / 4)}`);
    const outline = make("svg", {viewBox: `0 0 ${many - 1} 52`, preserveAspectRatio: "none", "aria-hidden": "true"}, make("polygon", {points: [...edge(-1), ...edge(1).reverse()].join(" ")}));
    const tick = () => { const share = audio.currentTime / part.seconds; played.classList.toggle("unplayed", !share); played.style.width = `${100 * Math.min(1, share)}%`; seek.value = 1000 * share; if (!audio.paused) requestAnimationFrame(tick); };
    const shown = () => { mark_.setAttribute("d", audio.paused ? ICONS.play : ICONS.pause); play.setAttribute("aria-label", audio.paused ? "Play" : "Pause"); tick(); };
    for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, shown);
    stopped(); player = audio;
    return make("div", {class: "sound"}, play, make("div", {class: "wave"}, outline, played, seek),
      make("div", {class: "spectrogram"}, make("img", {src: part.uri && part.spectrogram, alt: `Spectrogram, 0 to ${part.kilohertz} kHz`}), make("span", {}, `${part.kilohertz} kHz`)));
  }

  let player = null;
  function stopped() { if (player) player.pause(); player = null; }

  const toned = (score) => `${score >= 0 ? "rgb(56 140 220 / " : "rgb(232 120 30 / "}${(0.75 * Math.abs(score)).toFixed(3)})`;

  function attributed(box, one) {
    const why = one.attribution;
    const key = make("p", {class: "why"}, make("span", {}, make("i", {tone: toned(1)}), "speaks for the answer"), make("span", {}, make("i", {tone: toned(-1)}), "against"));
    if (why.error) { box.append(make("p", {class: "note"}, `What the answer hangs on is not known: ${why.error}`)); return; }
    if (why.method) key.append(make("span", {}, why.method));
    const after = (part) => { part.closest(".part").append(key); };
    if (why.tokens && box.querySelector(".said")) {
      const said = box.querySelector(".said");
      said.replaceChildren(...why.tokens.map(([text, score]) => make("mark", {tone: toned(score), title: score ? score.toFixed(2) : null}, text)));
      after(said);
    }
    if (why.seen && why.heat) {
      const picture = make("div", {class: "stage seen"}, make("img", {src: why.seen, alt: "What the network takes in, low frequencies at the bottom"}), make("img", {class: "heat", src: why.heat, alt: "What the answer hangs on"}));
      (box.querySelector(".part") ?? box).append(make("p", {class: "note"}, "What the network takes in, and what the answer hangs on"), picture, key);
      return;
    }
    if (why.heat && box.querySelector(".stage")) {
      const stage = box.querySelector(".stage"), heat = make("img", {class: "heat", src: why.heat, alt: "What the answer hangs on"});
      heat.hidden = !state.heat; stage.append(heat);
      const toggle = make("button", {type: "button", class: "toggle", "aria-pressed": String(!!state.heat), onclick: () => { state.heat = !state.heat; heat.hidden = !state.heat; toggle.setAttribute("aria-pressed", String(state.heat)); }}, "What the answer hangs on");
      key.prepend(toggle); after(stage);
    }
  }

  // ---- the selection beside the map ----------------------------------------------------------------------------

  const pictures = data.columns.includes("image");

  function panel() {
    const box = $("chosen");
    if (litCount === rows && !state.chosen) { box.replaceChildren(...(state.sample < 0 ? [welcome()] : [])); return; }
    const parts = [make("h2", {}, state.chosen && state.why ? "Selection" : "Shown"), make("p", {}, state.why || plural(litCount, "sample"))];
    if (state.by && state.by.names && litCount) parts.push(bars());
    const list = make("ul", {class: pictures ? "thumbs" : "list", "aria-label": "Samples"});
    parts.push(list);
    let shown = 0;
    for (const at of litOnes()) { list.append(pictures ? thumb(at) : line(at)); if (++shown === (pictures ? THUMBS : SHOWN)) break; }
    if (litCount > shown) parts.push(make("p", {class: "note"}, `${number(shown)} of ${number(litCount)}, drawn by chance`));
    box.replaceChildren(...parts);
    mark(); if (pictures) thumbs(list);
  }

  function welcome() {
    return make("div", {class: "empty"}, make("h3", {}, "Click a point to see its sample."), make("p", {}, "Alike samples lie together. Scroll to zoom, drag to move; with Shift held, drag a box around what you want to count."));
  }

  function bars() {
    const by = state.by, counts = new Map();
    for (let at = 0; at < rows; at++) if (lit[at]) counts.set(by.values[at], (counts.get(by.values[at]) ?? 0) + 1);
    const ranked = [...counts].sort((a, b) => b[1] - a[1]), most = ranked[0][1];
    const made = ranked.slice(0, 8).flatMap(([code, count]) => {
      const bar = make("i", {tone: tones[code]}); bar.style.width = `${100 * count / most}%`;
      return [make("span", {title: by.names[code]}, by.names[code]), bar, make("b", {}, number(count))];
    });
    if (ranked.length > 8) made.push(make("span", {class: "empty"}, `${number(ranked.length - 8)} more`), make("span"), make("b", {}, number(ranked.slice(8).reduce((sum, [, count]) => sum + count, 0))));
    return make("div", {class: "bars"}, ...made);
  }

  function line(at) {
    const answer = named("answer", at), wrong = named("right", at) === "wrong";
    const one = make("button", {type: "button", tone: toneOf(at), onclick: () => open(at)}, make("i"), make("span", data.texts ? {} : {class: "mono"}, data.texts ? data.texts[at] : data.ids[at]),
      make("small", {}, answer === null ? "" : wrong ? `${named(data.target, at)} → ${answer}` : answer));
    one.at = at;
    return make("li", {}, one);
  }

  function thumb(at) {
    const one = make("button", {type: "button", tone: toneOf(at), title: data.ids[at], "aria-label": data.ids[at], onclick: () => open(at)});
    one.at = at;
    return make("li", {}, one);
  }

  const thumbs = later(async (list) => {
    for (const one of list.querySelectorAll("button")) {
      if (!list.isConnected) return;
      const found_ = await detailOf(one.at).catch(() => null), part = found_?.parts.find((any) => any.kind === "image");
      if (part) one.append(make("img", {src: part.uri, alt: ""}));
    }
  }, 120);

  function mark() { for (const one of document.querySelectorAll(".list button, .thumbs button")) one.classList.toggle("now", one.at === state.sample); }
  function again() { panel(); }

  // ---- hands: pointer, wheel, keys -----------------------------------------------------------------------------

  const pointers = new Map();
  let held = null;

  const at = (event) => { const box = map.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };

  function setMode(mode) {
    state.mode = mode;
    for (const one of document.querySelectorAll("[data-mode]")) one.setAttribute("aria-pressed", String(one.dataset.mode === mode));
    map.classList.toggle("box", mode === "box"); map.classList.toggle("lasso", mode === "lasso");
  }

  map.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    cancelAnimationFrame(moving);
    map.setPointerCapture(event.pointerId); map.focus({preventScroll: true});
    pointers.set(event.pointerId, at(event));
    held = {start: at(event), moved: false, mode: event.shiftKey ? "box" : event.altKey ? "lasso" : state.mode};
    if (pointers.size > 1) held.mode = "pinch";
    event.preventDefault();
  });

  map.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    if (!pointers.has(event.pointerId)) { hover(x, y, event); return; }
    const [left, top] = pointers.get(event.pointerId);
    if (held.mode === "pinch" && pointers.size === 2) {
      const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, where]) => where);
      const before = Math.hypot(left - other[0], top - other[1]), after = Math.hypot(x - other[0], y - other[1]);
      if (before > 4 && after > 4) zoom(after / before, other[0], other[1]);
    } else if (Math.hypot(x - held.start[0], y - held.start[1]) > 3 || held.moved) {
      held.moved = true; hint.hidden = true;
      if (held.mode === "move") { now.x += x - left; now.y += y - top; map.classList.add("dragging"); draw(); }
      if (held.mode === "box") { const [a, b] = held.start; drawn = [[a, b], [x, b], [x, y], [a, y]]; sketch(); }
      if (held.mode === "lasso") { drawn = drawn.length ? [...drawn, [x, y]] : [held.start, [x, y]]; sketch(); }
    }
    pointers.set(event.pointerId, [x, y]);
  });

  function release(event) {
    if (!pointers.delete(event.pointerId) || !held) return;
    map.classList.remove("dragging");
    if (!held.moved && held.mode !== "pinch" && event.type === "pointerup" && points) {
      const [x, y] = at(event), found_ = nearest(x, y, REACH + radius());
      if (found_ >= 0) open(found_); else if (state.chosen) choose(null, "");
    }
    if (drawn.length > 2) {
      const samples = inside(drawn);
      drawn = [];
      if (samples.length) choose(samples, plural(samples.length, "sample")); else choose(null, "");
    }
    drawn = [];
    if (!pointers.size) held = null;
    sketch();
  }
  map.addEventListener("pointerup", release);
  map.addEventListener("pointercancel", release);
  map.addEventListener("pointerleave", () => { hint.hidden = true; if (hovered >= 0) { hovered = -1; sketch(); } });

  function inside(corners) {
    const samples = [], count = corners.length;
    for (let one = 0; one < rows; one++) {
      const [x, y] = place(one);
      let within = false;
      for (let here = 0, last = count - 1; here < count; last = here++) {
        const [a, b] = corners[here], [c, d] = corners[last];
        if (b > y !== d > y && x < (c - a) * (y - b) / (d - b) + a) within = !within;
      }
      if (within && lit[one]) samples.push(one);
    }
    return Uint32Array.from(samples);
  }

  let hovering = false;
  function hover(x, y, event) {
    if (hovering || !points || event.pointerType === "touch") return;
    hovering = true;
    requestAnimationFrame(() => {
      hovering = false;
      const found_ = nearest(x, y, REACH);
      map.classList.toggle("over", found_ >= 0 && state.mode === "move");
      hint.hidden = found_ < 0;
      if (found_ >= 0 && found_ !== hovered) tell(found_);
      if (found_ >= 0) {
        const [left, top] = place(found_), flip = left > frame.width - 300, below = top < 90;
        hint.style.transform = `translate(${flip ? "calc(-100% - 14px)" : "14px"}, ${below ? "8px" : "calc(-100% - 8px)"})`;
        hint.style.left = `${left}px`; hint.style.top = `${top}px`;
      }
      if (hovered !== found_) { hovered = found_; sketch(); }
    });
  }

  function tell(one) {
    const answer = named("answer", one), wrong = named("right", one) === "wrong", by = state.by;
    const says = answer !== null ? wrong ? `${named(data.target, one)} answered as ${answer}` : answer : null;
    const also = by && !["answer", data.target, "right"].includes(by.name) ? `${by.name}: ${by.names ? by.names[by.values[one]] : short(by.values[one])}` : null;
    hint.replaceChildren(...[says ?? also ?? data.ids[one], data.texts ? make("small", {}, data.texts[one]) : null, says && also ? make("small", {}, also) : null, says || also ? make("small", {}, data.ids[one]) : null].filter(Boolean));
  }

  map.addEventListener("wheel", (event) => { event.preventDefault(); cancelAnimationFrame(moving); zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : event.ctrlKey ? 0.01 : 0.0016)), ...at(event)); }, {passive: false});
  map.addEventListener("dblclick", (event) => { const [x, y] = at(event), k = now.k * 2; glide({k, x: x - (x - now.x) * 2, y: y - (y - now.y) * 2}); });

  function step(by) {
    const ones = [...litOnes()];
    if (!ones.length) return;
    const where = ones.indexOf(state.sample), next = ones[(where + by + ones.length) % ones.length];
    open(where < 0 && by < 0 ? ones[ones.length - 1] : next, true);
    if (!points || !frame.pixels) return;
    const [x, y] = place(next);
    if (x < 20 || y < 20 || x > frame.width - 20 || y > frame.height - 20) glide({k: now.k, x: now.x + frame.width / 2 - x, y: now.y + frame.height / 2 - y});
  }

  const PAN = {ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
  document.addEventListener("keydown", (event) => {
    const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName), far = event.shiftKey ? 240 : 60;
    if (event.key === "Escape") { clear(); if (typing) event.target.blur(); return; }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") { event.preventDefault(); $("search").focus(); return; }
    if (event.target.closest("button, summary") && (event.key === " " || event.key === "Enter")) return;
    const onMap = event.target === map || event.target === document.body;
    if (PAN[event.key] && onMap) { now.x += far * PAN[event.key][0]; now.y += far * PAN[event.key][1]; draw(); }
    else if (event.key === "+" || event.key === "=") zoom(1.5);
    else if (event.key === "-") zoom(1 / 1.5);
    else if (event.key === "0") glide(home);
    else if (event.key === "n" || event.key === "N") step(1);
    else if (event.key === "p" || event.key === "P") step(-1);
    else if (event.key === " " && player) { player.paused ? player.play() : player.pause(); }
    else return;
    event.preventDefault();
  });

  // ---- begin ---------------------------------------------------------------------------------------------------

  function setTheme(theme) {
    root.dataset.theme = theme;
    colour(); legend(); again(); draw();
  }

  $("title").textContent = data.title;
  $("sentence").textContent = data.sentence; $("sentence").title = data.sentence;
  $("notes").append(...data.notes.map((note) => make("li", {}, note)));
  $("by").append(...traits.filter((one) => !one.names || one.names.length > 1 && one.names.length <= Math.max(20, rows / 3)).map((one) => make("option", {value: one.name}, one.name === "right" ? "right or wrong" : one.name)));
  $("by").addEventListener("change", () => setBy($("by").value));
  $("search").addEventListener("input", later(() => { state.words = $("search").value; light(); }, 140));
  $("clear").addEventListener("click", clear);
  $("theme").addEventListener("click", () => setTheme(root.dataset.theme === "dark" ? "light" : "dark"));
  for (const one of document.querySelectorAll("[data-mode]")) one.addEventListener("click", () => setMode(one.dataset.mode));
  for (const one of document.querySelectorAll("[data-zoom]")) one.addEventListener("click", () => ({in: () => zoom(1.6), out: () => zoom(1 / 1.6), all: () => glide(home)})[one.dataset.zoom]());
  document.addEventListener("click", (event) => { if (!$("about").contains(event.target)) $("about").open = false; });
  root.dataset.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => setTheme(event.matches ? "dark" : "light"));
  findings();
  new ResizeObserver(measure).observe(map);
  if ($("by").options.length) setBy($("by").value); else { $("by").parentElement.hidden = true; colour(); light(); }
})();
