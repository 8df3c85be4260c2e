(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const canvas = document.getElementById("canvas");
  const stage = document.getElementById("stage");
  const note = document.getElementById("note");
  const status = document.getElementById("status");
  const context = canvas.getContext("2d");
  const disk = data.space === "disk";
  const OTHER = 8, REACH = 14, MARGIN = 10;
  const chosen = new Set();
  let onlyNever = false, held = -1, side = 0, colours = {};
  let view = Moebius.identity, shift = [0, 0], zoom = 1;

  document.getElementById("still").hidden = true;
  stage.hidden = false;
  for (const part of document.querySelectorAll(".needs-script")) part.hidden = false;

  const base = disk ? data.points.map(Moebius.point) : fitted(data.points);
  let moved = base;

  function fitted(points) {
    const low = [0, 1].map((i) => points.reduce((m, p) => Math.min(m, p[i]), Infinity));
    const high = [0, 1].map((i) => points.reduce((m, p) => Math.max(m, p[i]), -Infinity));
    const reach = Math.max(high[0] - low[0], high[1] - low[1]) / 2 || 1;
    return points.map((p) => [0, 1].map((i) => (p[i] - (low[i] + high[i]) / 2) / reach));
  }

  const classOf = (i) => (data.clade[i] >= 0 && data.clade[i] < OTHER ? data.clade[i] : OTHER);
  const never = (i) => Boolean(data.never[i]);
  const shown = (i) => (!chosen.size || chosen.has(classOf(i))) && (!onlyNever || never(i));
  const half = () => side / 2;
  const size = () => (half() - MARGIN) * zoom;
  const toScreen = ([x, y]) => [half() + shift[0] + x * size(), half() + shift[1] - y * size()];
  const toWorld = ([x, y]) => [(x - half() - shift[0]) / size(), (half() + shift[1] - y) / size()];

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue(name).trim();
    colours = { ink: value("--ink"), bg: value("--bg"), soft: value("--soft"), muted: value("--muted"), faint: value("--line") };
    colours.clade = Array.from({ length: OTHER + 1 }, (_, i) => value(`--clade${i}`));
  }

  // the same shapes as in the still picture
  function trace(kind, x, y, r) {
    const c = r * 1.25, f = r * 0.6;
    context.beginPath();
    if (kind === 0) context.arc(x, y, r, 0, 7);
    else if (kind === 1) context.rect(x - r, y - r, 2 * r, 2 * r);
    else if (kind === 5) context.rect(x - c, y - f, 2 * c, 2 * f);
    else if (kind === 6) context.rect(x - f, y - c, 2 * f, 2 * c);
    else if (kind === OTHER) context.arc(x, y, r * 0.7, 0, 7);
    else {
      const corners = {
        2: [[0, -c], [c, c], [-c, c]],
        3: [[0, -c], [c, 0], [0, c], [-c, 0]],
        4: [[0, c], [c, -c], [-c, -c]],
        7: [[-c, -c], [c, c], [-c, c], [c, -c]],
      }[kind];
      corners.forEach(([dx, dy], i) => (i ? context.lineTo(x + dx, y + dy) : context.moveTo(x + dx, y + dy)));
      context.closePath();
    }
  }

  function draw() {
    if (!side) return; // not yet laid out
    const ratio = devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, side, side);
    moved = disk ? base.map((p) => Moebius.apply(view, p)) : base;
    const at = moved.map(toScreen);
    if (disk) {
      const [x, y] = toScreen([0, 0]);
      context.beginPath();
      context.arc(x, y, size(), 0, 7);
      context.fillStyle = colours.soft;
      context.fill();
      context.strokeStyle = colours.muted;
      context.lineWidth = 1;
      context.stroke();
    }
    const r = Math.min((side < 500 ? 2.5 : 3.2) * Math.sqrt(zoom), 7);
    const order = at.map((_, i) => i);
    context.fillStyle = colours.muted;
    context.globalAlpha = 0.25;
    for (const i of order) {
      if (!shown(i)) context.fillRect(at[i][0] - 1, at[i][1] - 1, 2, 2);
    }
    context.globalAlpha = 1;
    for (let kind = OTHER; kind >= 0; kind--) {
      for (const i of order) {
        if (classOf(i) !== kind || !shown(i)) continue;
        const [x, y] = at[i];
        if (x < -r || y < -r || x > side + r || y > side + r) continue;
        trace(kind, x, y, r);
        context.fillStyle = never(i) ? colours.bg : colours.clade[kind];
        context.fill();
        context.strokeStyle = colours.ink;
        context.lineWidth = never(i) ? 1.9 : 0.5;
        context.stroke();
        if (!never(i)) continue;
        context.strokeStyle = colours.clade[kind];
        context.lineWidth = 1.1;
        context.stroke();
      }
    }
    if (disk) {
      const [x, y] = toScreen(Moebius.apply(view, [0, 0]));
      context.strokeStyle = colours.ink;
      context.lineWidth = 1.5;
      context.beginPath();
      context.moveTo(x - 6, y); context.lineTo(x + 6, y);
      context.moveTo(x, y - 6); context.lineTo(x, y + 6);
      context.stroke();
    }
    if (held >= 0) {
      context.beginPath();
      context.arc(at[held][0], at[held][1], r + 5, 0, 7);
      context.strokeStyle = colours.ink;
      context.lineWidth = 2;
      context.stroke();
      place(at[held]);
    }
  }

  function place([x, y]) {
    const width = note.offsetWidth, height = note.offsetHeight;
    note.style.left = `${Math.max(0, Math.min(x + 14, side - width))}px`;
    note.style.top = `${y + 18 + height > side ? Math.max(0, y - 18 - height) : y + 18}px`;
  }

  function hold(i) {
    if (i === held) return;
    held = i;
    note.hidden = i < 0;
    if (i >= 0) {
      const group = data.clades[data.clade[i]] ?? "no named clade";
      const number = data.idx.length ? [`idx ${data.idx[i]}`] : [];
      const said = [group, ...number];
      if (data.radius) said.push(`radius ${data.radius[i]}`);
      if (never(i)) said.push("never trained");
      const [name, facts, lineage] = note.children;
      name.textContent = data.names[i] || number.join();
      facts.textContent = said.join(" · ");
      lineage.textContent = data.lineages[data.lineage[i]] || "";
    }
    draw();
  }

  function nearest([x, y]) {
    let best = -1, least = REACH * REACH;
    moved.forEach((p, i) => {
      if (!shown(i)) return;
      const [px, py] = toScreen(p);
      const apart = (px - x) ** 2 + (py - y) ** 2;
      if (apart < least) { least = apart; best = i; }
    });
    return best;
  }

  const inside = (p) => Math.hypot(p[0], p[1]) < 0.995;
  function pan(from, to) {
    const p = toWorld(from), q = toWorld(to);
    if (disk && inside(p) && inside(q)) view = Moebius.compose(Moebius.carry(p, q), view);
    else if (!disk) shift = [shift[0] + to[0] - from[0], shift[1] + to[1] - from[1]];
  }

  function scale(factor, [x, y]) {
    const next = Math.max(1, Math.min(zoom * factor, 60));
    const world = toWorld([x, y]);
    zoom = next;
    const [nx, ny] = toScreen(world);
    shift = zoom === 1 && disk ? [0, 0] : [shift[0] + x - nx, shift[1] + y - ny];
    draw();
  }

  function reset() {
    view = Moebius.identity; shift = [0, 0]; zoom = 1;
    hold(-1);
    draw();
  }

  const pointers = new Map();
  const spot = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    pointers.set(event.pointerId, spot(event));
    canvas.setPointerCapture(event.pointerId);
    hold(nearest(spot(event)));
  });
  canvas.addEventListener("pointermove", (event) => {
    const to = spot(event);
    if (!pointers.has(event.pointerId)) { hold(nearest(to)); return; }
    const from = pointers.get(event.pointerId);
    if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const apart = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]) || 1;
      scale(apart(to) / apart(from), other);
    } else pan(from, to);
    pointers.set(event.pointerId, to);
    draw();
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, (event) => pointers.delete(event.pointerId));
  }
  canvas.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hold(-1); });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    scale(Math.exp(-event.deltaY * 0.0015), spot(event));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const middle = [half(), half()], step = side / 12;
    const by = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
    if (by) { pan(middle, [half() + by[0], half() + by[1]]); draw(); }
    else if (event.key === "+" || event.key === "=") scale(1.3, middle);
    else if (event.key === "-") scale(1 / 1.3, middle);
    else if (event.key === "0") reset();
    else return;
    event.preventDefault();
  });
  const act = { in: () => scale(1.5, [half(), half()]), out: () => scale(1 / 1.5, [half(), half()]), reset };
  for (const button of document.querySelectorAll("[data-act]")) {
    button.addEventListener("click", () => act[button.dataset.act]());
  }

  function say() {
    const count = base.reduce((sum, _, i) => sum + (shown(i) ? 1 : 0), 0);
    status.textContent = `${count.toLocaleString("en")} of ${base.length.toLocaleString("en")} points shown`;
  }
  const buttons = [...document.querySelectorAll("[data-clade]")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const clade = Number(button.dataset.clade);
      if (!chosen.delete(clade)) chosen.add(clade);
      button.setAttribute("aria-pressed", String(chosen.has(clade)));
      if (held >= 0 && !shown(held)) hold(-1);
      say();
      draw();
    });
  }
  const box = document.getElementById("never");
  if (box) box.addEventListener("change", () => {
    onlyNever = box.checked;
    if (held >= 0 && !shown(held)) hold(-1);
    say();
    draw();
  });

  // to the middle of the picture, where it can be read
  function visit(i) {
    if (disk) {
      const home = Moebius.apply(view, base[i]);
      if (Math.hypot(home[0], home[1]) < 1 - 1e-9) {
        view = Moebius.compose(Moebius.carry(home, [0, 0]), view);
      }
      zoom = 1; shift = [0, 0];
    } else {
      const [x, y] = toScreen(base[i]);
      shift = [shift[0] + half() - x, shift[1] + half() - y];
    }
    held = -1;
    hold(i);
  }
  const find = document.getElementById("find"), matches = document.getElementById("matches");
  find.addEventListener("input", () => {
    const wanted = find.value.trim().toLowerCase();
    const found = [];
    for (let i = 0; wanted && i < base.length && found.length < 8; i++) {
      if (data.names[i].toLowerCase().includes(wanted)) found.push(i);
    }
    matches.replaceChildren(...found.map((i) => {
      const item = document.createElement("li"), button = document.createElement("button");
      button.type = "button";
      button.textContent = data.names[i];
      button.addEventListener("click", () => visit(i));
      item.append(button);
      return item;
    }));
  });

  function resize() {
    side = stage.clientWidth;
    const ratio = devicePixelRatio || 1;
    canvas.width = canvas.height = Math.round(side * ratio);
    canvas.style.height = `${side}px`;
    draw();
  }
  readColours();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); draw(); });
  new ResizeObserver(resize).observe(stage);
  say();
})();
