#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the components of the library and the command as SPDX 2.3 (ISO/IEC 5962) in JSON, from dependencies.lock.

  toolchains/sbom.py VERSION CREATED NAME... > vitrine.spdx.json

CREATED is the time of the build, for example 2026-11-22T00:00:00Z. NAMEs are the linked dependencies.
"""
import json
import re
import sys
from pathlib import Path

LOCK = Path(__file__).with_name("dependencies.lock")


def locked():
    """Returns {name: {"version": ..., "license": ..., "upstream": url, "sha256": ...}}."""
    found = {}
    for line in LOCK.read_text().splitlines():
        words = line.split()
        if len(words) < 3 or line.startswith("#"):
            continue
        entry = found.setdefault(words[0], {})
        if words[1] == "version":
            entry["version"], entry["license"] = words[2], " ".join(words[3:])
        elif words[1] == "upstream":
            entry["upstream"] = words[2]
        elif words[1] == "tree":
            entry["sha256"] = words[2]
    return found


def identifier(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def package(name, version, license_name, source, sha256=None):
    entry = {"name": name, "SPDXID": identifier(name), "versionInfo": version, "downloadLocation": source, "filesAnalyzed": False,
             "licenseConcluded": license_name, "licenseDeclared": license_name, "copyrightText": "NOASSERTION"}
    if sha256:
        entry["comment"] = f"The checksum of the used sources is {sha256}: see toolchains/dependencies.lock"
    return entry


def document(version, created, names):
    dependencies = locked()
    packages = [package("vitrine", version, "Apache-2.0", "NOASSERTION")]
    relations = [{"spdxElementId": "SPDXRef-DOCUMENT", "relatedSpdxElement": identifier("vitrine"), "relationshipType": "DESCRIBES"}]
    for name in names:
        entry = dependencies[name]
        packages.append(package(name, entry["version"], entry["license"], entry.get("upstream", "NOASSERTION"), entry.get("sha256")))
        relations.append({"spdxElementId": identifier(name), "relatedSpdxElement": identifier("vitrine"), "relationshipType": "STATIC_LINK"})
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"vitrine-{version}",
            "documentNamespace": f"https://spdx.org/spdxdocs/vitrine-{version}",
            "creationInfo": {"created": created, "creators": ["Tool: vitrine-sbom.py"]}, "packages": packages, "relationships": relations}


def main():
    version, created, *names = sys.argv[1:]
    print(json.dumps(document(version, created, names), indent=1))


if __name__ == "__main__":
    main()
