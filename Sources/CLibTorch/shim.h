/* libtorch is C++: nothing to import here. The target only carries the flags of its pkg-config file. */
