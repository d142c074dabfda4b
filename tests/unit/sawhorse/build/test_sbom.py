"""Bills of materials and lists of licences: valid, the same for the same input, and never more than METADATA says."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from importlib.metadata import distributions
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sawhorse.build.sbom import Component, bill_of_materials, licence_list, licences

if TYPE_CHECKING:
    from cyclonedx.validation.json import JsonStrictValidator

HEADERS = (
    "Classifier",
    "Description",
    "Home-page",
    "License",
    "License-Expression",
    "License-File",
    "Name",
    "Project-URL",
    "Provides-Extra",
    "Requires-Dist",
    "Summary",
)
VALUES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            "MIT",
            "mit or apache-2.0",
            "((((",
            "LicenseRef-Own",
            "License :: OSI Approved :: MIT License",
            "License :: OSI Approved :: BSD License",
            "License :: ",
            "Homepage, https://example.com/a b%zz",
            "Source, https://example.com/x?y=1#z",
            "Homepage",
            "beta>=1; extra == 'fast'",
            "beta[fast]>=1",
            "alpha",
            "gamma ===",
            'beta; python_version < "3.12"',
        ]
    ),
)
METADATA = st.one_of(
    st.text(max_size=300),
    st.lists(st.tuples(st.sampled_from(HEADERS), VALUES), max_size=10).map(
        lambda lines: "Metadata-Version: 2.4\n" + "".join(f"{name}: {value}\n" for name, value in lines)
    ),
)
COMPONENTS = st.lists(
    st.builds(
        Component,
        name=st.sampled_from(["alpha", "Beta", "gam.ma", "Delta_x"]),
        version=st.sampled_from(["1.0", "2.0rc1", "1!1.0+local"]),
        metadata=METADATA,
        hashes=st.lists(st.sampled_from(["ab" * 32, "CD" * 32]), max_size=3).map(tuple),
    ),
    max_size=5,
)
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def metadata(name: str, *lines: str) -> str:
    return "\n".join(["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *lines]) + "\n"


def component(name: str, *lines: str, **fields: Any) -> Component:
    return Component(name, "1.0", metadata(name, *lines), **fields)


@cache
def validator() -> JsonStrictValidator:
    # It reads a grammar for most of a second, and every process imports every test.
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    return JsonStrictValidator(SchemaVersion.V1_6)


def bill(*components: Component) -> dict[str, Any]:
    text = bill_of_materials("tiny", components)
    assert validator().validate_str(text) is None
    found: dict[str, Any] = json.loads(text)
    return found


def edges(found: dict[str, Any]) -> dict[str, list[str]]:
    return {one["ref"]: one.get("dependsOn", []) for one in found["dependencies"]}


def licence(*lines: str) -> str:
    return str(licences([component("alpha", *lines)])[0]["licence"])


def test_a_bill_names_what_a_package_consists_of() -> None:
    one = component(
        "Alpha.One",
        "Summary: The first",
        "License-Expression: MIT",
        "Project-URL: Homepage, https://example.com/alpha",
        "Project-URL: Source Code, https://example.com/alpha.git",
        hashes=("AB" * 32,),
    )

    found = bill(one)

    assert found["specVersion"] == "1.6"
    assert found["metadata"]["component"]["name"] == "tiny"
    assert found["components"] == [
        {
            "bom-ref": "pkg:pypi/alpha-one@1.0",
            "description": "The first",
            "externalReferences": [
                {"type": "vcs", "url": "https://example.com/alpha.git"},
                {"type": "website", "url": "https://example.com/alpha"},
            ],
            "hashes": [{"alg": "SHA-256", "content": "ab" * 32}],
            "licenses": [{"license": {"id": "MIT"}}],
            "name": "Alpha.One",
            "purl": "pkg:pypi/alpha-one@1.0",
            "type": "library",
            "version": "1.0",
        }
    ]


def test_a_bill_has_no_date_and_a_number_that_follows_from_its_content() -> None:
    first, again, other = bill(component("alpha")), bill(component("alpha")), bill(component("beta"))

    assert first == again
    assert "timestamp" not in first["metadata"]
    assert first["serialNumber"] != other["serialNumber"]


def test_a_package_without_dependencies_has_a_bill() -> None:
    assert "components" not in bill()
    assert licence_list("tiny", []) == '{\n  "app": "tiny",\n  "components": []\n}\n'


def test_a_bill_says_who_needs_whom() -> None:
    found = bill(
        component(
            "alpha", "Requires-Dist: Beta_X>=1", "Requires-Dist: absent", 'Requires-Dist: gamma; extra == "fast"'
        ),
        component("beta.x", 'Requires-Dist: gamma; python_version < "3"', "Requires-Dist: beta-x"),
        component("gamma"),
        component("delta"),
    )

    assert edges(found) == {
        "app:tiny": ["pkg:pypi/alpha@1.0", "pkg:pypi/delta@1.0"],
        "pkg:pypi/alpha@1.0": ["pkg:pypi/beta-x@1.0"],
        "pkg:pypi/beta-x@1.0": ["pkg:pypi/gamma@1.0"],
        "pkg:pypi/delta@1.0": [],
        "pkg:pypi/gamma@1.0": [],
    }


def test_an_extra_that_another_component_asks_for_counts() -> None:
    found = bill(
        component("alpha", "Requires-Dist: beta[fast]"),
        component("beta", "Provides-Extra: fast", "Requires-Dist: gamma; extra == 'fast'"),
        component("gamma"),
    )

    assert edges(found)["pkg:pypi/beta@1.0"] == ["pkg:pypi/gamma@1.0"]
    assert edges(found)["app:tiny"] == ["pkg:pypi/alpha@1.0"]


def test_components_that_need_each_other_are_still_needed_by_the_app() -> None:
    found = bill(component("alpha", "Requires-Dist: beta"), component("beta", "Requires-Dist: alpha"))

    assert edges(found)["app:tiny"] == ["pkg:pypi/alpha@1.0"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["License-Expression: mit OR apache-2.0"], "MIT OR Apache-2.0"),
        (["License-Expression: LicenseRef-Own"], "LicenseRef-Own"),
        (["License-Expression: Whatever you like"], "Whatever you like"),
        (["License: Apache License, Version 2.0"], "Apache-2.0"),
        (["License: MIT License", "        ", "        Copyright (c) 2020 A. N. Author"], "MIT"),
        (["License: MIT", "Classifier: License :: OSI Approved :: BSD License"], "MIT"),
        (["License: UNKNOWN", "Classifier: License :: OSI Approved :: MIT License"], "MIT"),
        (["License: Dual License", "Classifier: License :: OSI Approved :: BSD License"], "BSD License"),
        (["Classifier: License :: OSI Approved :: Apache Software License"], "Apache Software License"),
        (
            [
                "Classifier: License :: OSI Approved :: MIT License",
                "Classifier: License :: OSI Approved :: Apache Software License",
            ],
            "Apache Software License, MIT",
        ),
        (["License: Mine, and nobody else's"], "Mine, and nobody else's"),
        (["License: UNKNOWN"], "unknown"),
        ([], "unknown"),
    ],
)
def test_a_licence_is_what_metadata_says(lines: list[str], expected: str) -> None:
    assert licence(*lines) == expected
    bill(component("alpha", *lines))


def test_a_licence_that_spdx_does_not_know_is_named_in_the_bill() -> None:
    named = bill(component("alpha", "License: Mine"))["components"][0]["licenses"]
    either = bill(component("alpha", "License-Expression: MIT OR ISC"))["components"][0]["licenses"]

    assert named == [{"license": {"name": "Mine"}}]
    assert either == [{"expression": "MIT OR ISC"}]


def test_the_list_of_licences_names_files_and_pages() -> None:
    one = component("alpha", "Home-page: https://example.com", "License-File: LICENSE", "License-File: AUTHORS")

    assert json.loads(licence_list("tiny", [one])) == {
        "app": "tiny",
        "components": [
            {
                "home_page": "https://example.com",
                "licence": "unknown",
                "licence_files": ["AUTHORS", "LICENSE"],
                "name": "alpha",
                "version": "1.0",
            }
        ],
    }


def test_the_metadata_of_real_distributions_makes_a_valid_bill() -> None:
    here = [Component(one.name, one.version, one.read_text("METADATA") or "") for one in distributions() if one.name]
    here = sorted(here, key=lambda one: one.key)[:40]

    assert len(bill(*here)["components"]) == len({one.key for one in here})


def test_a_hash_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no SHA-256"):
        bill_of_materials("tiny", [component("alpha", hashes=("abc",))])


@few
@given(components=COMPONENTS)
def test_any_metadata_makes_a_valid_bill_and_a_list(components: list[Component]) -> None:
    bill(*components)
    assert licence_list("tiny", components).endswith("}\n")


@few
@given(components=COMPONENTS, data=st.data())
def test_the_order_of_the_components_does_not_matter(components: list[Component], data: st.DataObject) -> None:
    shuffled = [Component(c.name, c.version, c.metadata, c.hashes) for c in data.draw(st.permutations(components))]

    assert bill_of_materials("tiny", shuffled) == bill_of_materials("tiny", components)
    assert licence_list("tiny", shuffled) == licence_list("tiny", components)


def test_a_bill_is_the_same_whatever_the_seed_of_hashes() -> None:
    program = (
        "from sawhorse.build.sbom import *\n"
        "lines = ''.join(f'Requires-Dist: p{n}\\n' for n in range(9))\n"
        "parts = [Component(f'p{n}', '1', 'License: ISC\\n' + lines, ('ab' * 32, 'cd' * 32)) for n in range(9)]\n"
        "print(bill_of_materials('tiny', parts), licence_list('tiny', parts))\n"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, timeout=60
        ).stdout
        for seed in ("1", "2")
    }

    assert len(told) == 1


def test_the_library_is_imported_only_where_a_bill_is_written() -> None:
    program = "import sys, sawhorse.build.build_inputs, sawhorse.inspect.licences; sys.exit('cyclonedx' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
