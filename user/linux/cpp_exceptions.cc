// C++: exceptions through frames with destructors, rethrow, nested, catch by base, RTTI, static objects, unwinding out of threads.
#include <cstdio>
#include <exception>
#include <functional>
#include <future>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
struct Trace { const char *n; explicit Trace(const char *n) : n(n) { printf("+%s ", n); } ~Trace() { printf("-%s ", n); } };
struct Base : std::runtime_error { using std::runtime_error::runtime_error; virtual int id() const { return 1; } };
struct Derived : Base { using Base::Base; int id() const override { return 2; } };
static int depth(int n) { Trace t(n % 2 ? "odd" : "even"); if (n == 0) throw Derived("bottom"); return depth(n - 1) + 1; }
static Trace global("global");
int main() {
  try { depth(3); } catch (const Base &e) { printf("| %s %d\n", e.what(), e.id()); }
  try { try { throw 42; } catch (int v) { printf("int %d ", v); throw; } } catch (...) { printf("rethrown\n"); }
  try { std::vector<int>().at(5); } catch (const std::out_of_range &) { printf("out of range\n"); }
  try { try { throw std::logic_error("inner"); } catch (...) { std::throw_with_nested(std::runtime_error("outer")); } } catch (const std::exception &e) { printf("%s", e.what()); try { std::rethrow_if_nested(e); } catch (const std::exception &i) { printf(" <- %s\n", i.what()); } }
  long caught = 0; for (int i = 0; i < 500; i++) try { if (i % 3) throw i; } catch (int v) { caught += v; } printf("caught %ld\n", caught);
  auto f = std::async(std::launch::async, [] { throw std::runtime_error("from a thread"); return 1; }); try { f.get(); } catch (const std::exception &e) { printf("%s\n", e.what()); }
  std::map<std::string, std::vector<int>> m; for (int i = 0; i < 200; i++) m["key" + std::to_string(i * 37 % 50)].push_back(i); size_t n = 0; for (auto &[k, v] : m) n += k.size() * v.size(); printf("%zu %zu\n", m.size(), n);
  std::ostringstream s; s << std::hex << 255 << ' ' << 3.5 << ' ' << std::boolalpha << true; std::cout << s.str() << std::endl; std::istringstream in("10 20 x"); int a, b, c = -1; in >> a >> b >> c; std::cout << a + b << in.fail() << '\n';
  Base *p = new Derived("x"); printf("%d %d\n", dynamic_cast<Derived *>(p) != nullptr, dynamic_cast<std::logic_error *>((std::exception *)p) != nullptr); delete p; std::function<int(int)> fib = [&](int k) { return k < 2 ? k : fib(k - 1) + fib(k - 2); }; printf("%d\n", fib(15)); auto u = std::make_unique<Trace>("unique"); std::shared_ptr<Trace> sh = std::move(u); printf("%ld\n", sh.use_count());
  try { std::string big(static_cast<size_t>(-1) / 4, 'x'); } catch (const std::exception &) { printf("no memory\n"); } std::vector<std::thread> t; int sums[4]; for (int i = 0; i < 4; i++) t.emplace_back([&, i] { sums[i] = 0; for (int j = 0; j < 1000; j++) sums[i] += j * i; }); for (auto &x : t) x.join(); printf("%d %d\n", sums[1], sums[3]);
  fflush(stdout); return 3;
}
