// A sentence where a library ends the program: by exit, or by a signal that a fault in it raises.
#include "ended.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

namespace {

thread_local const Called *innermost = nullptr;
// The calls of all threads: a thread that the library started has none of its own, and goes by the last of any.
Called *last = nullptr;
std::atomic_flag isBusy = ATOMIC_FLAG_INIT;

/// Whether the list of calls could be taken. A handler must not wait for what it has interrupted.
bool take(bool waits) {
  for (int tries = 0; isBusy.test_and_set(std::memory_order_acquire); tries++)
    if (!waits && tries > 1000000) return false;
  return true;
}

void give() { isBusy.clear(std::memory_order_release); }

}  // namespace

const char *Called::now() {
  if (innermost) return innermost->title;
  if (!take(false)) return nullptr;
  const char *title = last ? last->title : nullptr;
  give();
  return title;
}

namespace {

struct Fault {
  int signal;
  const char *sentence;
};
constexpr Fault faults[] = {
  {SIGABRT, "aborted (SIGABRT)"},
  {SIGSEGV, "touched memory that is not its own (SIGSEGV)"},
  {SIGBUS, "touched memory that is not there (SIGBUS)"},
  {SIGFPE, "divided by zero or made another arithmetic fault (SIGFPE)"},
  {SIGILL, "ran into an instruction that is none (SIGILL)"},
  {SIGTRAP, "trapped (SIGTRAP)"},
  {SIGSYS, "asked the system for what it forbids (SIGSYS)"},
};
constexpr int faultCount = sizeof faults / sizeof *faults;
struct sigaction earlier[faultCount];

/// Writes one line to standard error; a signal handler may call it.
void say(const char *title, const char *what, const char *advice) {
  char line[2000];
  size_t length = 0;
  for (const char *piece : {"Error: ", title, " ", what, advice, "\n"}) {
    size_t size = strlen(piece);
    if (size > sizeof line - length) size = sizeof line - length;
    memcpy(line + length, piece, size);
    length += size;
  }
  for (size_t done = 0; done < length;) {
    ssize_t written = write(STDERR_FILENO, line + done, length - done);
    if (written <= 0) return;
    done += static_cast<size_t>(written);
  }
}

void onExit() {
  const char *title = Called::now();
  if (!title) return;
  fflush(nullptr);
  say(
    title, "called exit, which ends the whole program",
    "; let it return instead, with a status other than 0 for an error");
  _exit(CF_EXITED);
}

void onFault(int signal, siginfo_t *info, void *context) {
  int index = 0;
  while (index < faultCount - 1 && faults[index].signal != signal) index++;
  if (const char *title = Called::now()) {
    say(title, faults[index].sentence, " and ended the program; correct the library or its manifest, or go on without it");
    _exit(128 + signal);
  }
  // It is none of a library's: as if this handler were not there.
  const struct sigaction &old = earlier[index];
  if (old.sa_flags & SA_SIGINFO) return old.sa_sigaction(signal, info, context);
  if (old.sa_handler == SIG_IGN) return;
  if (old.sa_handler != SIG_DFL) return old.sa_handler(signal);
  sigaction(signal, &old, nullptr);
  raise(signal);
}

/// Memory for handlers, so that one runs where the stack is full.
struct HandlerStack {
  std::unique_ptr<char[]> memory;

  void ensure() {
    stack_t current;
    if (memory || sigaltstack(nullptr, &current) != 0 || !(current.ss_flags & SS_DISABLE)) return;
    constexpr size_t size = 1 << 16;
    memory.reset(new (std::nothrow) char[size]);
    if (!memory) return;
    stack_t own = {};
    own.ss_sp = memory.get();
    own.ss_size = size;
    sigaltstack(&own, nullptr);
  }

  ~HandlerStack() {
    if (!memory) return;
    stack_t none = {};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
  }
};
thread_local HandlerStack handlerStack;

void watch() {
  static std::once_flag once;
  std::call_once(once, [] {
    atexit(onExit);
    for (int i = 0; i < faultCount; i++) {
      struct sigaction action = {};
      action.sa_sigaction = onFault;
      action.sa_flags = SA_SIGINFO | SA_ONSTACK;
      sigemptyset(&action.sa_mask);
      sigaction(faults[i].signal, &action, &earlier[i]);
    }
  });
}

}  // namespace

Called::Called(const char *title) : title(title), outer(innermost) {
  innermost = this;
  if (!title) return;
  watch();
  handlerStack.ensure();
  take(true);
  before = last;
  if (before) before->after = this;
  last = this;
  give();
}

Called::~Called() {
  if (title) {
    take(true);
    if (before) before->after = after;
    (after ? after->before : last) = before;
    give();
  }
  innermost = outer;
}
