"""Finds the packages: those of taxcheck, and the folders whose packages have longer names."""

from setuptools import find_packages, setup

FOLDERS = {"taxcheck_rules": "rules", "taxcheck_reports": "reports"}

packages = find_packages(include=["taxcheck", "taxcheck.*"])
for package, folder in FOLDERS.items():
    packages += [package, *(f"{package}.{name}" for name in find_packages(folder))]

setup(packages=packages, package_dir={"taxcheck": "taxcheck", **FOLDERS})
