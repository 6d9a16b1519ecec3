#pragma once

#include "include/cforeign.h"

/// A call of a function of a library, for as long as this lives: where the library ends the program, a sentence names it.
class Called {
 public:
  /// - Parameter title: Names the function; NULL while our own code is called back.
  explicit Called(const char *title);
  ~Called();
  Called(const Called &) = delete;
  Called &operator=(const Called &) = delete;

  /// The title of what is called on this thread; on one that a library started, of what is called on any.
  static const char *now();

 private:
  const char *title;
  const Called *outer;
  Called *before = nullptr;
  Called *after = nullptr;
};
