// Moves of the hyperbolic plane, exact as far out as a double can say where a point is.
//
// A view is what is looked at in polar coordinates, {radius, angle}, and by how much the picture is
// turned. A Lorentz matrix would hold the same, and lose it: at radius 30 its entries are 1e13, and
// what cancels between them is the picture. Here nothing cancels: with s = sin of half the angle
// between two directions
//   cosh d = cosh(r - R) + 2 sinh r sinh R s^2,
// and likewise for the two coordinates across.
const Isometry = {
  origin: { radius: 0, angle: 0, turn: 0 },

  // Where a point (radius, angle) lies in the picture: {distance, bearing} from what is looked at.
  see(view, radius, angle) {
    const half = (angle - view.angle) / 2, s = Math.sin(half), c = Math.cos(half);
    const out = Math.sinh(radius), ours = Math.sinh(view.radius);
    const along = Math.sinh(radius - view.radius) - 2 * out * Math.cosh(view.radius) * s * s;
    const across = 2 * out * s * c;
    const step = Math.sinh((radius - view.radius) / 2);
    return {
      distance: 2 * Math.asinh(Math.sqrt(step * step + out * ours * s * s)),
      bearing: Math.atan2(across, along) + view.turn,
    };
  },

  // The view after a step of that length to that bearing of the picture: parallel transport.
  walk(view, distance, bearing) {
    const b = bearing - view.turn, c = Math.cos(b / 2);
    const ours = Math.sinh(view.radius), step = Math.sinh(distance);
    const gap = Math.sinh((view.radius - distance) / 2);
    const radius = 2 * Math.asinh(Math.sqrt(gap * gap + ours * step * c * c));
    const along = Math.sinh(view.radius - distance) + 2 * Math.cosh(view.radius) * step * c * c;
    const turned = Math.atan2(step * Math.sin(b), along);
    // a point at infinity behind the new place keeps the turn: a step of d takes an angle x from
    // its direction to one with tan(new / 2) = e^d tan(x / 2)
    const towards = (angle, d) => 2 * Math.atan2(Math.exp(d) * Math.sin(angle / 2), Math.cos(angle / 2));
    const behind = view.turn + towards(turned, view.radius);
    const turn = bearing + towards(behind - bearing, distance);
    return { radius, angle: view.angle + turned, turn: turn % (2 * Math.PI) };
  },

  // The step by which what is at p of the Poincaré disc comes to q, both [x, y] inside of it.
  step([px, py], [qx, qy]) {
    const dx = px - qx, dy = py - qy, re = px * qx - py * qy, im = px * qy + py * qx;
    const below = 1 - (px * px + py * py) * (qx * qx + qy * qy);
    const x = (dx + re * dx + im * dy) / below, y = (dy + im * dx - re * dy) / below;
    return { distance: 2 * Math.atanh(Math.min(Math.hypot(x, y), 1 - 1e-12)), bearing: Math.atan2(y, x) };
  },
};
