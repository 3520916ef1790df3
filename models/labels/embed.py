#!/usr/bin/env python3
"""embed.py OUT.c LABELS.txt...: the built-in label sets as C arrays, a set a file."""

import os
import sys


def main(out, *paths):
    sets = []
    with open(out, "w", encoding="utf-8") as f:
        f.write('#include "vigil.h"\n\n#include <string.h>\n\n')
        for path in paths:
            name = os.path.splitext(os.path.basename(path))[0]
            with open(path, encoding="utf-8") as text:
                labels = text.read().splitlines()
            sets.append((name, len(labels)))
            f.write(f"static const char *const {name}[] = {{\n")
            for label in labels:
                quoted = label.replace("\\", "\\\\").replace('"', '\\"')
                f.write(f'    "{quoted}",\n')
            f.write("};\n\n")
        f.write("const char *const *vigil_labels_builtin(const char *set, int *count)\n{\n")
        for name, n in sets:
            f.write(f'    if (!strcmp(set, "{name}")) {{\n')
            f.write(f"        *count = {n};\n        return {name};\n    }}\n")
        f.write("    return NULL;\n}\n")


main(*sys.argv[1:])
