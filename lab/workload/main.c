/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of the workload. */
#define _GNU_SOURCE
#include "workload.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned long seconds, pause_ms = 100; /* 0 seconds: once */
struct options options = { .fs = "/mnt/pmem", .disk = "/mnt/disk", .device = "rxe0" };

static const struct scenario *const lists[] = { ok_scenarios, fsdax_scenarios, advice_scenarios, reg_scenarios, rereg_scenarios, large_scenarios,
						race_scenarios, owner_scenarios, pin_scenarios, pin_mapping_scenarios, pin_page_scenarios, memlock_scenarios,
						crowd_scenarios, again_scenarios, refused_scenarios, forked_scenarios, mended_scenarios,
						pin_backing_scenarios, huge_limit_scenarios };

static void usage(FILE *to)
{
	fputs("usage: workload [--fs DIR] [--disk DIR] [--device NAME] [--expect WORDS] [--seconds N [--pause MS]] SCENARIO...\n"
	      "       workload --list\n"
	      "       workload --storm SECONDS [--threads N] [--gust N] [--locked BYTES] [--user NUMBER] SCENARIO...\n"
	      "       workload --bench NAME [--count N] [--rounds N] [--megabytes N] [--regions N] [--threads N]\n"
	      "Runs scenarios of RDMA memory, and prints one JSON line for each operation.\n"
	      "  --fs DIR        directory on a DAX file system (/mnt/pmem)\n"
	      "  --disk DIR      directory on an ordinary disk file system (/mnt/disk)\n"
	      "  --device NAME   RDMA device (rxe0)\n"
	      "  --expect WORDS  what the kernel is, comma separated (or environment WORKLOAD_EXPECT):\n"
	      "                  broken: has the 2021 fsdax bug; fault-at-reg: ODP registration faults pages in\n"
	      "  --seconds N     begin anew until then, with a pause after each scenario (--pause MS, 100)\n"
	      "  --storm SECONDS threads (--threads, 4) that run the scenarios in an order of their own until then, without pause;\n"
	      "                  and --gust (4) times at most, after each, try anew what failed before. Lines come at the end,\n"
	      "                  named storm:SCENARIO. --locked: with this RLIMIT_MEMLOCK and without\n"
	      "                  CAP_IPC_LOCK (pin-memlock, pin-memlock-zero); --user: as this user\n"
	      "Exit status: 0 all as expected, 1 an operation was not, 2 wrong usage, 3 a scenario could not be set up.\n",
	      to);
}

static void set_expectations(const char *words)
{
	char *copy = strdup(words), *rest = copy;

	for (char *word; (word = strsep(&rest, ","));) {
		if (strcmp(word, "broken") == 0) {
			options.broken = true;
		} else if (strcmp(word, "fault-at-reg") == 0) {
			options.fault_at_reg = true;
		} else if (*word && strcmp(word, "fixed") != 0 && strcmp(word, "snapshot") != 0) {
			fprintf(stderr, "workload: --expect knows broken, fixed, fault-at-reg and snapshot, not '%s'\n", word);
			exit(2);
		}
	}
	free(copy);
}

static const struct scenario *find(const char *name)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const struct scenario *it = lists[i]; it->name; it++)
			if (strcmp(it->name, name) == 0)
				return it;
	return NULL;
}

static void list(void)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (const struct scenario *it = lists[i]; it->name; it++)
			printf("%s\t%s\n", it->name, it->what);
	list_spoiled();
}

static void spoiled(struct run *run)
{
	const char *part = strrchr(run->scenario, ':'); /* storm:hole-p */

	run_spoiled(run, part ? part + 1 : run->scenario);
}

void (*find_scenario(const char *name))(struct run *)
{
	const struct scenario *scenario = find(name);

	return scenario ? scenario->run : is_spoiled(name) ? spoiled
							   : NULL;
}

static unsigned long number_of(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (end == text || *end || number > 1000000) {
		fprintf(stderr, "workload: '%s' is no number of 0 to 1000000\n", text);
		exit(2);
	}
	return number;
}

static unsigned long count_of(const char *text)
{
	unsigned long number = number_of(text);

	if (number == 0) {
		fprintf(stderr, "workload: '%s' is not a number above 0\n", text);
		exit(2);
	}
	return number;
}

static void parse(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "fs", required_argument, NULL, 'f' },
		{ "disk", required_argument, NULL, 'k' },
		{ "device", required_argument, NULL, 'd' },
		{ "expect", required_argument, NULL, 'e' },
		{ "seconds", required_argument, NULL, 's' },
		{ "pause", required_argument, NULL, 'p' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ "bench", required_argument, NULL, 'b' },
		{ "count", required_argument, NULL, 'n' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "megabytes", required_argument, NULL, 'm' },
		{ "regions", required_argument, NULL, 'g' },
		{ "threads", required_argument, NULL, 't' },
		{ "storm", required_argument, NULL, 'S' },
		{ "locked", required_argument, NULL, 'L' },
		{ "user", required_argument, NULL, 'u' },
		{ "gust", required_argument, NULL, 'G' },
		{ 0 },
	};
	const char *bench = NULL;
	int letter;

	if (getenv("WORKLOAD_EXPECT"))
		set_expectations(getenv("WORKLOAD_EXPECT"));
	while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (letter) {
		case 'f': options.fs = optarg; break;
		case 'k': options.disk = optarg; break;
		case 'd': options.device = optarg; break;
		case 'e': set_expectations(optarg); break;
		case 's': seconds = number_of(optarg); break;
		case 'p': pause_ms = number_of(optarg); break;
		case 'l': list(); exit(0);
		case 'h': usage(stdout); exit(0);
		case 'b': bench = optarg; break;
		case 'n': bench_options.count = count_of(optarg); break;
		case 'r': bench_options.rounds = count_of(optarg); break;
		case 'm': bench_options.megabytes = count_of(optarg); break;
		case 'g': bench_options.regions = count_of(optarg); break;
		case 't': storm_options.threads = bench_options.threads = count_of(optarg); break;
		case 'S': storm_options.seconds = count_of(optarg); break;
		case 'L': storm_options.locked_bytes = number_of(optarg); break;
		case 'G': storm_options.gust = number_of(optarg); break;
		case 'u': storm_options.user = count_of(optarg); break;
		default: usage(stderr); exit(2);
		}
	}
	if (bench)
		exit(run_bench(bench));
	if (optind == argc) {
		usage(stderr);
		exit(2);
	}
	for (int i = optind; i < argc; i++)
		if (!find(argv[i]) && !is_spoiled(argv[i])) {
			fprintf(stderr, "workload: there is no scenario '%s' (workload --list)\n", argv[i]);
			exit(2);
		}
}

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

int main(int argc, char **argv)
{
	int worst = 0;

	parse(argc, argv);
	if (storm_options.seconds)
		return run_storm(argv + optind, argc - optind);
	time_t end = now() + seconds;
	do {
		for (int i = optind; i < argc; i++) {
			const struct scenario *scenario = find(argv[i]);
			struct run run = { .scenario = argv[i], .bad_index = 8 };
			int status = run_scenario(&run, scenario ? scenario->run : spoiled);

			if (status > worst)
				worst = status;
			if (seconds)
				usleep(pause_ms * 1000);
		}
	} while (now() < end);
	return worst;
}
