"""The texts the model is given, as versioned files, and the library that loads and renders them."""
