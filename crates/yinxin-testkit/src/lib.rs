//! Development only: what the test suites of several crates share. Owns no behaviour of the product.
