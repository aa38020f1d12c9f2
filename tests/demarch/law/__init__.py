"""One law book for kernels: what every kernel must do, whoever is behind it.

The same tests run over the embedded kernel, over the kernel CLI with executables that answer as the real ones
do, and over the real binaries where they are found (on PATH, or where scripts/setup --dev put them).
"""
