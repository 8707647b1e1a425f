// class: float. Fast Fourier transform there and back; the twiddle factors come from a recurrence, not from libm.
#include "bench.h"
typedef struct { double re, im; } complex_t;
enum { BITS = 12, N = 1 << BITS };
static complex_t data[N], root[N];
static void transform(int inverse) {
  for (int i = 1, j = 0; i < N; i++) { int bit = N >> 1; for (; j & bit; bit >>= 1) j ^= bit; j |= bit; if (i < j) { complex_t t = data[i]; data[i] = data[j]; data[j] = t; } }
  for (int length = 2; length <= N; length <<= 1)
    for (int i = 0; i < N; i += length)
      for (int j = 0; j < length / 2; j++) {
        complex_t w = root[j * (N / length)], u = data[i + j], v = data[i + j + length / 2];
        double s = inverse ? -w.im : w.im;
        complex_t t = {v.re * w.re - v.im * s, v.re * s + v.im * w.re};
        data[i + j] = (complex_t){u.re + t.re, u.im + t.im};
        data[i + j + length / 2] = (complex_t){u.re - t.re, u.im - t.im};
      }
  if (inverse) for (int i = 0; i < N; i++) data[i].re /= N, data[i].im /= N;
}
int main(int argc, char **argv) {
  const double step = 6.283185307179586 / N, c = 1 - step * step / 2 + step * step * step * step / 24, s = step - step * step * step / 6 + step * step * step * step * step / 120;
  root[0].re = 1;
  for (int i = 1; i < N; i++) root[i] = (complex_t){root[i - 1].re * c - root[i - 1].im * s, root[i - 1].re * s + root[i - 1].im * c};
  for (int i = 0; i < N; i++) data[i] = (complex_t){(double)(next_random() >> 50), 0};
  uint64_t hash = 1;
  for (long r = scale_of(argc, argv, 30); r > 0; r--) {
    transform(0);
    for (int i = 0; i < N; i += 97) { uint64_t w; memcpy(&w, &data[i].re, 8); hash = mix(hash, w); }
    transform(1);
  }
  printf("fft %016lx %.6f\n", hash, data[5].re);
}
