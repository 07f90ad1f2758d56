// Puts the share of each quarter of byte values into a vector: what the bytes of a file look like, at a glance. Reads bytes, writes a vector.
#include "djhost.hpp"

struct Histogram {};

static const auto histogram = dj::mapper<Histogram>("cpp_histogram_mapper", "Puts the share of each quarter of byte values into a vector.")
                                  .reads("file", DJ_BYTES, true)
                                  .writes("histogram", DJ_VECTOR, 4)
                                  .row([](Histogram &, dj::Row row) {
                                      if (row.is_null(0)) return;
                                      float shares[4] = {};
                                      auto bytes = row.bytes(0);
                                      for (unsigned char byte : bytes) shares[byte / 64] += 1.0f / float(bytes.size());
                                      row.set_vector(shares);
                                  });

DJ_OPERATORS(&histogram)
