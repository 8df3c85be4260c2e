(() => {
  const $ = (id) => document.getElementById(id);
  const facts = JSON.parse($("facts").textContent);
  const stage = $("stage"), canvas = $("canvas"), over = $("over"), note = $("note"), says = $("says");
  const context = canvas.getContext("2d", { alpha: false });
  const number = (value) => value.toLocaleString("en");
  const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;
  if (typeof DecompressionStream === "undefined") {
    says.textContent = "This browser cannot unpack the page (it has no DecompressionStream): a still picture is shown. Chrome, Edge, Firefox and Safari can since 2023.";
    return;
  }

  let rows, told, draw, labels;
  let ratio = 1, side = 0, tall = 0, colours = {};
  const home = () => ({ mode: facts.hyperbolic ? "native" : "plane", at: Isometry.origin, k: 0, zoom: 1, dx: 0, dy: 0 });
  let view = home();
  let chosen = -1, held = -1, moving = 0, queued = false, colouring = "clades", heads = [], taken = [], only = -1;
  let lassoing = false, polygon = null;

  // ---- the picture -------------------------------------------------------------------------------

  const middle = () => [side / 2, tall / 2];
  const reach = () => Math.min(side, tall) / 2 - (side / ratio < 500 ? 22 : 34) * ratio;

  function place() {
    if (view.mode === "disc") {
      draw.scale(view.k);
      draw.placeDisc(view.at, middle(), reach());
    } else draw.placeMap(middle(), reach(), view.zoom, view.dx * ratio, view.dy * ratio);
  }

  function frame() {
    queued = false;
    const began = performance.now(), busy = performance.now() < moving;
    place();
    draw.pixels.fill(colours.bg);
    if (facts.hyperbolic) {
      const map = view.mode === "native", [x, y] = middle();
      draw.disc(map ? [x + view.dx * ratio, y + view.dy * ratio] : [x, y], reach() * (map ? view.zoom : 1), colours.disc, colours.rim);
    }
    const n = rows.n, near = view.mode === "disc" ? 1 : Math.min(view.zoom, 4);
    if ($("edges").checked && facts.tree && (!busy || n <= 30000)) draw.edges(n > 300000 ? draw.large / 8 : 1);
    const base = n > 400000 ? 1 : n > 60000 ? 1.4 : n > 8000 ? 2 : n > 1500 ? 3 : 5;
    const dot = Math.max(1, Math.round(base * ratio * Math.sqrt(near)));
    draw.points(dot, Math.max(Math.round(5 * ratio), dot + 2));
    context.putImageData(draw.image, 0, 0);
    const map = view.mode === "native" || view.mode === "plane";
    labels.draw(draw, {
      ratio, middle: middle(), reach: reach(), heads: busy ? [] : heads, chosen,
      inks: colours.inks, ink: colours.ink, muted: colours.muted, halo: colours.halo, accent: colours.accent,
      rim: map && view.zoom === 1 && facts.hyperbolic && !view.dx && !view.dy,
      wanted: $("names").checked && !busy && told.labels, room: side / ratio < 500 ? 7 : 16,
    });
    if (polygon) outline();
    canvas.dataset.frame = (performance.now() - began).toFixed(2);
    if (busy) again();
  }

  function again() {
    if (queued) return;
    queued = true;
    requestAnimationFrame(frame);
  }

  const still = () => { clearTimeout(still.timer); still.timer = setTimeout(() => { again(); address(); }, 160); };
  function move() {
    moving = performance.now() + 120;
    again();
    still();
  }

  function outline() {
    const pen = over.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.beginPath();
    polygon.forEach(([x, y], i) => (i ? pen.lineTo(x, y) : pen.moveTo(x, y)));
    pen.closePath();
    pen.lineWidth = 2 * ratio;
    pen.strokeStyle = colours.ink;
    pen.stroke();
  }

  function resize() {
    const box = stage.clientWidth, high = stage.clientHeight;
    if (!box || !high) return;
    ratio = Math.min(window.devicePixelRatio || 1, rows.n > 500000 ? 1 : 2);
    side = Math.round(box * ratio);
    tall = Math.round(high * ratio);
    for (const one of [canvas, over]) { one.width = side; one.height = tall; }
    draw.resize(side, tall);
    again();
  }

  // ---- colours -----------------------------------------------------------------------------------

  function readColours() {
    const style = getComputedStyle(document.documentElement), value = (name) => style.getPropertyValue(name).trim();
    const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgb = (colour) => {
      probe.fillStyle = colour;
      probe.fillRect(0, 0, 1, 1);
      return [...probe.getImageData(0, 0, 1, 1).data];
    };
    const pack = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
    const mix = (a, b, part) => a.map((v, i) => Math.round(v * part + b[i] * (1 - part)));
    const disc = rgb(value(facts.hyperbolic ? "--disc" : "--bg"));
    colours = {
      bg: pack(rgb(value("--bg"))), disc: pack(disc), rim: pack(rgb(value("--rim"))),
      ink: value("--ink"), muted: value("--muted"), halo: value("--halo"), accent: value("--link"),
      inks: Array.from({ length: 9 }, (_, k) => value(`--kink${k}`)),
    };
    const set = (at, colour, faint) => {
      const found = rgb(colour);
      draw.palette[at] = pack(found);
      draw.faint[at] = pack(mix(found, disc, faint));
    };
    for (let k = 0; k < 9; k++) set(k, value(`--k${k}`), k === 8 ? 0.35 : 0.42);
    for (let k = 0; k < 8; k++) set(10 + k, value(`--m${k}`), 0.4);
    set(9, value("--k8"), 0.35);
    const stops = Array.from({ length: 5 }, (_, k) => rgb(value(`--s${k}`)));
    for (let k = 0; k < 64; k++) {
      const at = k / 63 * 4, low = Math.min(3, Math.floor(at));
      const found = mix(stops[low + 1], stops[low], at - low);
      draw.palette[64 + k] = pack(found);
      draw.faint[64 + k] = pack(mix(found, disc, 0.4));
    }
  }

  const swatch = (k) => { const [r, g, b] = [0, 8, 16].map((s) => draw.palette[k] >> s & 255); return `rgb(${r} ${g} ${b})`; };

  function ofClades(list) {
    heads = list;
    draw.colour.fill(8);
    list.forEach((head, k) => draw.colour.fill(k, head, head + rows.size[head]));
  }

  function scale(values, from, to) {
    heads = [];
    for (let i = 0; i < rows.n; i++) {
      draw.colour[i] = 64 + Math.max(0, Math.min(63, Math.round((values[i] - from) / (to - from || 1) * 63)));
    }
  }

  function recolour() {
    only = -1;
    draw.hidden = null;
    const legend = [];
    if (colouring === "clades" || colouring.startsWith("of:")) {
      const head = colouring === "clades" ? -1 : Number(colouring.slice(3));
      ofClades(head < 0 ? facts.clades : told.clades(head));
      let rest = rows.n;
      heads.forEach((one, k) => {
        legend.push([k, told.name(one), rows.size[one], () => visit(one)]);
        rest -= rows.size[one];
      });
      if (rest) legend.push([8, heads.length ? "all others" : "all rows", rest, null]);
    } else if (colouring === "depth") {
      const deepest = rows.depth.reduce((a, b) => Math.max(a, b), 0);
      scale(rows.depth, 0, deepest);
      for (let k = 0; k < 5; k++) legend.push([64 + Math.round(k / 4 * 63), `depth ${Math.round(deepest * k / 4)}`, null, null]);
    } else if (colouring === "radius") {
      const sorted = Float64Array.from(rows.radius).sort(), q = (part) => sorted[Math.floor(part * (sorted.length - 1))];
      const from = q(0.02), to = q(0.98);
      scale(rows.radius, from, to);
      for (let k = 0; k < 5; k++) {
        const value = from + (to - from) * k / 4;
        legend.push([64 + Math.round(k / 4 * 63), `radius ${value.toPrecision(3)}${k === 0 ? " or less" : k === 4 ? " or more" : ""}`, null, null]);
      }
    } else {
      heads = [];
      for (let i = 0; i < rows.n; i++) {
        const bits = rows.flags[i] & 127;
        draw.colour[i] = bits ? 10 + 31 - Math.clz32(bits) : 9;
      }
      let marked = 0;
      for (let i = 0; i < rows.n; i++) if (rows.flags[i] & 127) marked++;
      facts.marks.forEach((mark, bit) => legend.push([10 + bit, mark.name, mark.rows, null, mark.told, bit]));
      legend.push([9, "nothing found", rows.n - marked, null]);
    }
    drawLegend(legend);
    again();
  }

  function drawLegend(legend) {
    $("legend").replaceChildren(...legend.map(([k, text, count, act, about, bit]) => {
      const item = document.createElement("li"), dot = document.createElement("i"), words = document.createElement("span");
      const can = act || bit !== undefined, row = document.createElement(can ? "button" : "div");
      if (can) row.type = "button";
      dot.style.background = swatch(k);
      words.textContent = text;
      words.dir = "auto";
      row.append(dot, words);
      if (count !== null) {
        const many = document.createElement("span");
        many.className = "count";
        many.textContent = number(count);
        row.append(many);
      }
      if (about) row.title = about;
      if (act) row.addEventListener("click", act);
      else if (bit !== undefined) {
        row.setAttribute("aria-pressed", "false");
        row.addEventListener("click", () => filter(bit, row));
      }
      item.append(row);
      return item;
    }));
  }

  // only the rows of one finding, listed and drawn
  function filter(bit, button) {
    const off = only === bit;
    for (const one of $("legend").querySelectorAll("button")) one.setAttribute("aria-pressed", "false");
    only = off ? -1 : bit;
    button.setAttribute("aria-pressed", String(!off));
    draw.hidden = off ? null : rows.flags.map((flags) => (flags >> bit & 1 ? 0 : 1));
    if (!off) {
      const found = [];
      for (let i = 0; i < rows.n; i++) if (rows.flags[i] >> bit & 1) found.push(i);
      take(found, facts.marks[bit].name);
    }
    again();
  }

  function choices() {
    const every = [];
    if (facts.clades.length) every.push(["clades", "great clades"]);
    if (chosen >= 0 && rows.size[chosen] > 2) every.push([`of:${chosen}`, `children of ${told.name(chosen).slice(0, 40)}`]);
    if (colouring.startsWith("of:") && colouring !== `of:${chosen}`) every.push([colouring, `children of ${told.name(Number(colouring.slice(3))).slice(0, 40)}`]);
    if (facts.tree) every.push(["depth", "depth in the hierarchy"]);
    if (facts.hyperbolic) every.push(["radius", "hyperbolic radius"]);
    if (facts.marks.length) every.push(["findings", "what was found"]);
    if (!every.length) every.push(["clades", "nothing is known to colour by"]);
    $("colour").replaceChildren(...every.map(([value, text]) => {
      const one = document.createElement("option");
      one.value = value;
      one.textContent = text;
      one.selected = value === colouring;
      return one;
    }));
  }
  $("colour").addEventListener("change", (event) => { colouring = event.target.value; recolour(); address(); });

  // ---- one row -----------------------------------------------------------------------------------

  function told_of(i) {
    const said = [], id = told.identifier(i);
    if (told.taxon(i) && id !== null) said.push(String(id));
    if (facts.numbered) said.push(`idx ${told.labels.idx[i]}`);
    if (facts.tree) said.push(`depth ${rows.depth[i]}`);
    if (facts.hyperbolic && rows.flags[i] < 128) said.push(`radius ${rows.radius[i].toPrecision(4)}`);
    const rank = told.labels.ranks ? told.labels.ranks[i] : 0;
    if (rank) said.push(rank === 1 ? "its parent is the nearest row" : `its parent has rank ${number(rank)}`);
    if (rows.size[i] > 1) said.push(`${number(rows.size[i] - 1)} below`);
    for (const mark of told.marks(i)) said.push(mark.name);
    if (rows.flags[i] > 127) said.push("not drawn");
    return said.join(" · ");
  }

  function hover(i, event) {
    held = i;
    note.hidden = i < 0 || !told.labels;
    if (note.hidden) return;
    const [name, about, lineage] = note.children, above = told.lineage(i).map((one) => told.name(one));
    name.textContent = told.name(i).slice(0, 200);
    about.textContent = told_of(i);
    lineage.textContent = (above.length > 6 ? [above[0], "…", ...above.slice(-4)] : above).join(" › ");
    const x = draw.sx[i] / ratio, y = draw.sy[i] / ratio;
    note.style.left = `${Math.max(0, Math.min(x + 14, side / ratio - note.offsetWidth))}px`;
    note.style.top = `${y + 18 + note.offsetHeight > tall / ratio ? Math.max(0, y - 18 - note.offsetHeight) : y + 18}px`;
  }

  const link = (i, text) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dir = "auto";
    button.textContent = text || told.name(i);
    button.addEventListener("click", () => visit(i));
    return button;
  };
  const listed = (places, kind) => {
    const list = document.createElement(kind);
    list.className = kind === "ol" ? "lineage" : "rows";
    list.append(...places.map((i) => { const item = document.createElement("li"); item.append(link(i)); return item; }));
    return list;
  };

  function describe() {
    const at = $("at"), title = document.createElement("p"), about = document.createElement("p");
    title.className = "name-of";
    title.dir = "auto";
    title.textContent = told.name(chosen);
    about.className = "note";
    about.textContent = told_of(chosen);
    const parts = [title, about], above = told.lineage(chosen);
    if (above.length) {
      const list = listed(above, "ol");
      list.setAttribute("aria-label", "Lineage");
      parts.push(list);
    }
    for (const other of told.labels.more.get(chosen) || []) {
      const line = document.createElement("p");
      line.className = "note";
      line.append("also below ", link(other));
      parts.push(line);
    }
    const below = told.children(chosen);
    if (below.length) {
      const heading = document.createElement("h3"), most = 60;
      heading.textContent = below.length === 1 ? "Its only child" : `${number(below.length)} children${below.length > most ? `, the largest ${most}` : ""}`;
      below.sort((a, b) => rows.size[b] - rows.size[a] || a - b);
      parts.push(heading, listed(below.slice(0, most), "ul"));
      if (rows.size[chosen] > 2) {
        const colour = document.createElement("button");
        colour.type = "button";
        colour.className = "plain-button";
        colour.textContent = "Colour by its children";
        colour.addEventListener("click", () => { colouring = `of:${chosen}`; choices(); recolour(); address(); });
        parts.push(colour);
      }
    }
    at.replaceChildren(...parts);
  }

  // look at a row and walk to it
  function visit(i) {
    chosen = i;
    describe();
    choices();
    hover(-1);
    says.textContent = rows.flags[i] > 127 ? `${told.name(i)} is no point and not drawn` : `Looking at ${told.name(i)}`;
    if (rows.flags[i] < 128) {
      if (view.mode === "disc") glide(i);
      else centre(i);
    }
    move();
  }

  function centre(i) {
    const size = reach() * view.zoom / ratio, x = facts.hyperbolic ? draw.x[i] : rows.x[i], y = facts.hyperbolic ? draw.y[i] : rows.y[i];
    if (view.zoom > 1) { view.dx = -x * size; view.dy = y * size; }
  }

  function glide(i) {
    const from = view.at, k = view.k, there = { radius: rows.radius[i] * 2 ** -k, angle: rows.angle[i], turn: 0 };
    const way = Isometry.see(from, there.radius, there.angle), began = performance.now();
    const last = matchMedia("(prefers-reduced-motion: reduce)").matches || document.hidden ? 0 : 450;
    const end = Isometry.walk(from, way.distance, way.bearing);
    there.turn = end.turn;
    const token = (glide.token = {});
    const step = (now) => {
      if (glide.token !== token || view.k !== k || view.mode !== "disc") return;
      const part = last ? Math.min(1, Math.max(0, now - began) / last) : 1, eased = part * part * (3 - 2 * part);
      view.at = part < 1 ? Isometry.walk(from, way.distance * eased, way.bearing) : there;
      move();
      if (part < 1) requestAnimationFrame(step);
    };
    step(began);
  }

  // ---- moving ------------------------------------------------------------------------------------

  const spot = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };

  // a place of the picture in the Poincaré disc
  function inDisc([x, y]) {
    const [cx, cy] = middle(), px = (x * ratio - cx) / reach(), py = (cy - y * ratio) / reach();
    const length = Math.min(Math.hypot(px, py), 0.995), angle = Math.atan2(py, px);
    return [length * Math.cos(angle), length * Math.sin(angle)];
  }

  function drag(from, to) {
    if (view.mode === "disc") {
      glide.token = null;
      const { distance, bearing } = Isometry.step(inDisc(from), inDisc(to));
      view.at = Isometry.walk(view.at, distance, bearing);
    } else { view.dx += to[0] - from[0]; view.dy += to[1] - from[1]; }
    move();
  }

  function zoom(factor, [x, y]) {
    if (view.mode === "disc") {
      zoom.held = (zoom.held || 0) + Math.log2(factor);
      const steps = Math.trunc(zoom.held);
      zoom.held -= steps;
      const k = Math.max(0, Math.min(5, view.k - steps));
      view.at = { ...view.at, radius: view.at.radius * 2 ** (view.k - k) };
      view.k = k;
    } else {
      const next = Math.max(1, Math.min(view.zoom * factor, 400)), by = next / view.zoom;
      const mx = x - side / 2 / ratio, my = y - tall / 2 / ratio;
      view.dx = mx - (mx - view.dx) * by;
      view.dy = my - (my - view.dy) * by;
      view.zoom = next;
      if (next === 1) view.dx = view.dy = 0;
    }
    tell();
    move();
  }

  function tell() {
    if (view.mode === "disc") {
      says.textContent = view.k ? `The Poincaré disc around what is looked at, of radii at 1/${2 ** view.k} of their length; zoom in for their own.` : "The Poincaré disc around what is looked at, true to scale.";
    } else if (view.mode === "native") {
      says.textContent = `The distance from the middle is the hyperbolic radius; the rim is at ${facts.largest.toPrecision(3)}.`;
    } else says.textContent = "";
  }

  function turn(mode) {
    if (mode === view.mode) return;
    const kept = chosen;
    view = { ...home(), mode };
    if (mode === "disc") {
      view.k = gentle();
      if (kept >= 0 && rows.flags[kept] < 128) view.at = { radius: rows.radius[kept] * 2 ** -view.k, angle: rows.angle[kept], turn: 0 };
    }
    pressed();
    tell();
    move();
  }

  // how often radii are halved, so that not all of the table is drawn on the rim
  function gentle() {
    const some = Float64Array.from(rows.radius).sort(), typical = some[some.length >> 1];
    return Math.max(0, Math.min(5, Math.round(Math.log2(Math.max(typical, 1) / 2.2))));
  }

  function pressed() {
    for (const one of document.querySelectorAll("[data-view]")) one.setAttribute("aria-pressed", String(one.dataset.view === view.mode));
  }

  function reset() {
    view = { ...home(), mode: view.mode };
    if (view.mode === "disc") view.k = gentle();
    glide.token = null;
    tell();
    move();
  }

  for (const one of document.querySelectorAll("[data-view]")) one.addEventListener("click", () => turn(one.dataset.view));
  const act = { in: () => zoom(2, [side / 2 / ratio, tall / 2 / ratio]), out: () => zoom(0.5, [side / 2 / ratio, tall / 2 / ratio]), reset };
  for (const one of document.querySelectorAll("[data-act]")) one.addEventListener("click", () => act[one.dataset.act]());
  for (const id of ["edges", "names"]) $(id).addEventListener("change", () => { again(); address(); });

  const pointers = new Map();
  let went = 0;
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, spot(event));
    canvas.setPointerCapture(event.pointerId);
    went = 0;
    if (lassoing || event.shiftKey) polygon = [spot(event).map((v) => v * ratio)];
    hover(-1);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!rows) return;
    const to = spot(event), from = pointers.get(event.pointerId);
    if (!from) {
      const i = draw.nearest(to[0] * ratio, to[1] * ratio, 12 * ratio);
      if (i !== held) hover(i);
      canvas.style.cursor = i >= 0 ? "pointer" : "";
      return;
    }
    went += Math.hypot(to[0] - from[0], to[1] - from[1]);
    if (polygon) { polygon.push(to.map((v) => v * ratio)); again(); }
    else if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
      zoom(apart(to) / apart(from), other);
    } else if (went > 3) drag(from, to);
    pointers.set(event.pointerId, to);
  });
  canvas.addEventListener("pointerup", (event) => {
    pointers.delete(event.pointerId);
    if (polygon) {
      const found = polygon.length > 2 ? draw.inside(polygon) : [];
      polygon = null;
      lassoing = false;
      $("lasso").setAttribute("aria-pressed", "false");
      take(found, "in the lasso");
      again();
    } else if (went <= 3) {
      const [x, y] = spot(event), i = draw.nearest(x * ratio, y * ratio, 14 * ratio);
      if (i >= 0) visit(i);
    }
  });
  canvas.addEventListener("pointercancel", (event) => { pointers.delete(event.pointerId); polygon = null; });
  canvas.addEventListener("pointerleave", () => hover(-1));
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY * 0.0015), spot(event));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const centre = [side / 2 / ratio, tall / 2 / ratio], step = Math.min(side, tall) / ratio / 10;
    const by = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
    const parent = chosen >= 0 ? rows.parent[chosen] : -1;
    if (by) drag(centre, [centre[0] + by[0], centre[1] + by[1]]);
    else if (event.key === "+" || event.key === "=") zoom(2, centre);
    else if (event.key === "-") zoom(0.5, centre);
    else if (event.key === "0") reset();
    else if (event.key === "p" || event.key === "P") { if (parent >= 0) visit(parent); }
    else if (event.key === "n" || event.key === "N") { if (chosen < 0) visit(0); else if (rows.size[chosen] > 1) visit(chosen + 1); }
    else if (event.key === "Escape") { polygon = null; lassoing = false; $("lasso").setAttribute("aria-pressed", "false"); again(); }
    else return;
    event.preventDefault();
  });
  $("lasso").addEventListener("click", () => {
    lassoing = !lassoing;
    $("lasso").setAttribute("aria-pressed", String(lassoing));
    says.textContent = lassoing ? "Draw around the rows that you want." : "";
  });

  // ---- lists -------------------------------------------------------------------------------------

  function take(found, why) {
    taken = found;
    $("taken").hidden = !found.length;
    $("taken-n").textContent = `${plural(found.length, "row", "rows")} ${why}${found.length > 30 ? ", the first 30 are" : ""}:`;
    $("taken-rows").replaceChildren(...listed(found.slice(0, 30), "ul").children);
    if (!found.length) says.textContent = "No row is in there.";
  }
  $("drop").addEventListener("click", () => {
    taken = [];
    $("taken").hidden = true;
    if (only >= 0) recolour();
    again();
  });

  function save(content, name, type) {
    const address = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
    const anchor = document.createElement("a");
    anchor.href = address;
    anchor.download = name;
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  }
  const called = () => facts.title.replace(/[^\p{L}\p{N}.-]+/gu, "-").slice(0, 60) || "table";
  $("csv").addEventListener("click", () => save(told.csv(taken), `${called()}-rows.csv`, "text/csv;charset=utf-8"));
  const undrawn = $("csv-undrawn");
  if (undrawn) undrawn.addEventListener("click", () => {
    const found = [];
    for (let i = 0; i < rows.n; i++) if (rows.flags[i] > 127) found.push(i);
    save(told.csv(found), `${called()}-not-drawn.csv`, "text/csv;charset=utf-8");
  });
  $("image").addEventListener("click", () => {
    const whole = document.createElement("canvas");
    whole.width = side;
    whole.height = tall;
    const pen = whole.getContext("2d");
    pen.drawImage(canvas, 0, 0);
    pen.drawImage(over, 0, 0);
    whole.toBlob((blob) => save(blob, `${called()}.png`, "image/png"));
  });

  let typing;
  $("find").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(search, 80); });
  $("find").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    clearTimeout(typing);
    const first = search();
    if (first !== undefined) visit(first);
  });
  function search() {
    const text = $("find").value, { found, total } = told.find(text, 12);
    $("matches").replaceChildren(...listed(found, "ul").children);
    const part = facts.named === "inner" ? " Names of rows without children are not in this page." : "";
    $("matched").textContent = !text.trim() ? "" : total ? `${plural(total, "row", "rows")}${total > found.length ? `, ${found.length} are listed` : ""}.` : `No row is called so.${part}`;
    return found[0];
  }

  // ---- the address -------------------------------------------------------------------------------

  function address() {
    if (!told || !told.labels) return;
    const said = new URLSearchParams(), { radius, angle, turn } = view.at;
    said.set("view", view.mode);
    if (view.mode === "disc") { said.set("from", [radius, angle, turn].join(",")); said.set("halved", view.k); }
    else if (view.zoom !== 1 || view.dx || view.dy) {
      said.set("zoom", view.zoom.toPrecision(5));
      said.set("to", [view.dx * ratio / reach(), view.dy * ratio / reach()].map((v) => v.toPrecision(5)).join(","));
    }
    if (chosen >= 0) said.set("at", told.labels.idx[chosen]);
    if (colouring.startsWith("of:")) said.set("children", told.labels.idx[Number(colouring.slice(3))]);
    else if (colouring !== "clades") said.set("colour", colouring);
    for (const id of ["edges", "names"]) if (!$(id).checked) said.set(id, 0);
    try { history.replaceState(null, "", `#${said}`); } catch { /* a page in a frame may have no history */ }
  }

  function restore() {
    const said = new URLSearchParams(location.hash.slice(1)), finite = (text, count) => {
      const found = (text || "").split(",").map(Number);
      return found.length === count && found.every(Number.isFinite) ? found : null;
    };
    const at = said.has("at") ? told.at(Number(said.get("at"))) : -1;
    const of = said.has("children") ? told.at(Number(said.get("children"))) : -1;
    if (said.get("view") === "disc" && facts.hyperbolic) {
      const from = finite(said.get("from"), 3);
      view.mode = "disc";
      view.k = Math.max(0, Math.min(5, Math.trunc(Number(said.get("halved"))) || 0));
      if (from && from[0] >= 0 && from[0] < 400) view.at = { radius: from[0], angle: from[1], turn: from[2] };
    } else {
      const to = finite(said.get("to"), 2), zoomed = Number(said.get("zoom"));
      if (zoomed >= 1 && zoomed <= 400) view.zoom = zoomed;
      if (to) [view.dx, view.dy] = to.map((v) => v * reach() / ratio);
    }
    for (const id of ["edges", "names"]) if (said.get(id) === "0") $(id).checked = false;
    if (of >= 0) colouring = `of:${of}`;
    else if (["depth", "radius", "findings"].includes(said.get("colour"))) colouring = said.get("colour");
    if (at >= 0) { chosen = at; describe(); }
    pressed();
  }

  // ---- begin -------------------------------------------------------------------------------------

  async function begin() {
    rows = await Unpack.rows(facts);
    rows.largest = facts.largest;
    told = new Rows(rows, facts);
    draw = new Draw(rows);
    labels = new Labels(over, told);
    $("still").hidden = true;
    canvas.hidden = over.hidden = false;
    for (const part of document.querySelectorAll(".needs-script")) part.hidden = false;
    if (!facts.clades.length) colouring = facts.hyperbolic ? "radius" : "clades";
    $("taken").hidden = true;
    readColours();
    ofClades(facts.clades);
    resize();
    frame();
    canvas.dataset.shown = Math.round(performance.now());
    told.labels = await Unpack.labels(facts, rows);
    labels.prepare();
    restore();
    choices();
    if (![...$("colour").options].some((one) => one.value === colouring)) colouring = $("colour").options[0].value;
    recolour();
    tell();
    new ResizeObserver(resize).observe(stage);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); recolour(); });
    canvas.dataset.ready = Math.round(performance.now());
    again();
  }
  begin().catch((error) => {
    says.textContent = `The rows could not be unpacked (${error.message}); a still picture is shown.`;
    throw error;
  });
})();
