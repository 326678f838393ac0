# SPDX-License-Identifier: Apache-2.0
"""How `mrtrace doctor --json` in a guest is judged: hook plan, on-demand paging and the DAX mount as the lab knows them."""

import json

from mrlab.results import Check


def check(path, kernel, features, broken):
    try:
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    except (OSError, ValueError) as error:
        return Check("doctor", "prints one JSON object", [str(error)])
    rungs = {hook["hook"]: hook["rung"] for hook in report.get("hooks", [])}
    seen = {"handle_pte": rungs.get("hmm_vma_handle_pte"), "reg_mr": rungs.get("ib_uverbs_reg_mr"),
            "advise": rungs.get("rxe_ib_advise_mr"), "status": report.get("status"),
            "odp": {device["name"]: device["odp"] for device in report.get("devices", [])},
            "dax": [mount["dax"] for mount in report.get("mounts", []) if "/mnt/pmem" in mount.values()]}
    wanted = {"handle_pte": "fexit" if kernel == "fsdax-2021" else "replay",
              # module types have BTF from 5.11 on
              "reg_mr": "kprobe" if kernel == "5.10" else "fexit",
              "advise": "fexit" if "advise" in features else "absent", "status": "warn" if broken else "ok",
              "odp": {"rxe0": "yes" if "odp" in features else "no"}, "dax": ["yes"]}
    return Check("doctor", "tells the hook plan, on-demand paging and the DAX mount",
                 [f"{key}: expected {wanted[key]}, told {seen[key]}" for key in wanted if seen[key] != wanted[key]])
