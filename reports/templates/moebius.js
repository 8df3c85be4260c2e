// Isometries of the unit disk that keep its orientation, as [a, b, c, d] for
// z -> (A z + B) / (conj(B) z + conj(A)), A = a + bi, B = c + di, |A|^2 - |B|^2 = 1.
const Moebius = {
  identity: [1, 0, 0, 0],

  // z -> (z + p) / (1 + conj(p) z): takes 0 to p, and -p to 0
  translation([x, y]) {
    const size = Math.sqrt(1 - x * x - y * y);
    return [1 / size, 0, x / size, y / size];
  },

  // first n, then m
  compose([a, b, c, d], [e, f, g, h]) {
    const product = [
      a * e - b * f + c * g + d * h,
      a * f + b * e - c * h + d * g,
      a * g - b * h + c * e + d * f,
      a * h + b * g - c * f + d * e,
    ];
    const size = Math.sqrt(product[0] ** 2 + product[1] ** 2 - product[2] ** 2 - product[3] ** 2);
    return product.map((value) => value / size);
  },

  apply([a, b, c, d], [x, y]) {
    const re = a * x - b * y + c, im = a * y + b * x + d;
    const bottomRe = c * x + d * y + a, bottomIm = c * y - d * x - b;
    const size = bottomRe * bottomRe + bottomIm * bottomIm;
    return [(re * bottomRe + im * bottomIm) / size, (im * bottomRe - re * bottomIm) / size];
  },

  // the translation along the line from p to q that takes p to q
  carry(p, q) {
    const back = Moebius.translation([-p[0], -p[1]]);
    return Moebius.compose(Moebius.translation(p),
      Moebius.compose(Moebius.translation(Moebius.apply(back, q)), back));
  },

  // a point of the disk from its log-map at the centre
  point([x, y]) {
    const radius = Math.hypot(x, y);
    const scale = radius ? Math.tanh(radius / 2) / radius : 0;
    return [x * scale, y * scale];
  },
};
