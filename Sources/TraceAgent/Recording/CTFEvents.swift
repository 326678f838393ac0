// SPDX-License-Identifier: Apache-2.0

/// The records of events.h after their header, in CTF's metadata language, field by field.
///
/// A record added to events.h is added here; a test reads each kind back with an independent
/// reader.
enum CTFEvents {
  /// Numbers of events.h; and flags of ib_verbs.h and mm_types.h, which no field has for its type:
  /// a reader shows a combination of them as an unknown number.
  static let enumerations = """
    enum operation_kind : u32 {
    \treg_mr = 1, rereg_mr = 2, advise_mr = 3, page_fault = 4, prefetch = 5,
    };

    enum rung : u32 { none = 0, fexit = 1, kprobe = 2, tracepoint = 3 };

    enum advice : u32 { PREFETCH = 0, PREFETCH_WRITE = 1, PREFETCH_NO_FAULT = 2 };

    enum access_flag : u32x {
    \tLOCAL_WRITE = 1, REMOTE_WRITE = 2, REMOTE_READ = 4, REMOTE_ATOMIC = 8,
    \tMW_BIND = 16, ZERO_BASED = 32, ON_DEMAND = 64, HUGETLB = 128, FLUSH_GLOBAL = 256,
    \tFLUSH_PERSISTENT = 512, RELAXED_ORDERING = 1048576,
    };

    enum entries_what : u32 { pte = 1, hmm_pfn = 2 };

    enum entries_search : u32 { walked = 0, faulted = 1, accepted = 2 };

    enum stack_what : u32 { kernel = 1, user = 2 };

    enum pages_outcome : u32 { accepted = 0, in_failed_walk = 1 };

    enum zone : u32 { DMA = 1, DMA32 = 2, NORMAL = 3, MOVABLE = 4, DEVICE = 5 };

    enum refusal_what : u32 { rdma_cgroup = 1, device_removed = 2, killed = 3 };

    enum vm_fault_flag : u32x {
    \tOOM = 1, SIGBUS = 2, MAJOR = 4, HWPOISON = 16, HWPOISON_LARGE = 32, SIGSEGV = 64,
    \tNOPAGE = 256, LOCKED = 512, RETRY = 1024, FALLBACK = 2048, DONE_COW = 4096,
    \tNEEDDSYNC = 8192, COMPLETED = 16384,
    };

    """

  static let text = [
    event(
      1, "operation",
      """
      u64 start_ns;
      enum result result;
      u64x umem;
      u64x mr_address;
      u64 mr_length;
      u64x mr_iova;
      u64x request_address;
      u64 request_length;
      enum operation_kind kind;
      u32x has;
      u32x access;
      u32x device_caps;
      u32x driver_ops;
      enum advice advice;
      u32x advise_flags;
      u32 num_sge;
      u32x lkey;
      u32 owner_pid;
      u32 lost;
      u32 repeats_ns;
      text owner_comm[16];
      text comm[16];
      text device[32];
      """),
    event(
      2, "umem",
      """
      u64x umem;
      u64x address;
      u64 length;
      u64x iova;
      u64 pinned_vm;
      u64 memlock_limit;
      u32 page_shift;
      u32x flags;
      u32 owner_pid;
      u32x access;
      """),
    event(
      3, "layer",
      """
      enum result result;
      u64x arguments[6];
      enum rung rung;
      u32 reserved;
      """),
    event(
      4, "range",
      """
      enum result result;
      u64x start;
      u64x end;
      u64x default_flags;
      u64x pfn_flags_mask;
      u64x mm;
      enum rung rung;
      u32x flags;
      """),
    event(
      5, "walk",
      """
      enum result result;
      u64x start;
      u64x end;
      u64x last;
      u64x pending_end;
      u64x default_flags;
      u64x entry;
      u32x required_fault;
      u32x flags;
      enum rung rung;
      u32 reserved;
      """),
    event(
      6, "levels",
      """
      u64x address;
      u64x pgd;
      u64x p4d;
      u64x pud;
      u64x pmd;
      u64x pte;
      u32x read;
      u32 paging_levels;
      """),
    event(
      7, "entries",
      """
      u64x address;
      enum entries_what what;
      enum entries_search search;
      u32 reserved;
      u32 count;
      u64x values[count];
      """),
    event(
      8, "mapping",
      """
      u64x address;
      u64x start;
      u64x end;
      u64x vm_flags;
      u64 pgoff;
      u64x prev_end;
      u64x next_start;
      u64 inode;
      u64 file_size;
      u64x fs_magic;
      u32x device;
      u32x inode_flags;
      u32x mode;
      u32x flags;
      text filesystem[16];
      text block_device[32];
      u32 reserved;
      u32 path_size;
      text path[path_size];
      """),
    event(
      9, "fault",
      """
      u64x address;
      u64 inode;
      u64 page_offset;
      u64 file_size;
      u32x result;
      u32x fault_flags;
      u32x flags;
      s32 error;
      """),
    event(
      10, "stack",
      """
      enum stack_what what;
      u32 count;
      u64x addresses[count];
      """),
    event(
      11, "counter",
      """
      u64 seen;
      u64 failed;
      u64 recorded;
      u64 lost;
      u64 filtered;
      u64 untracked;
      u64 missed;
      enum rung rung;
      u32 reserved;
      """),
    event(
      12, "symbol",
      """
      u64x address;
      enum stack_what what;
      u32 name_size;
      text name[name_size];
      """),
    event(
      13, "pages",
      """
      u64x bits;
      u64 pages;
      u32x level;
      enum pages_outcome outcome;
      u32 weight;
      u32 reserved;
      """),
    event(
      14, "account",
      """
      u64 calls;
      u64 reported;
      u64 cut;
      u64 aggregated;
      u64 filtered;
      u64 unstarted;
      u64 missed;
      u64 missed_returns;
      u64 missed_entries;
      u64 running;
      u64 failed;
      u64 recorded;
      u64 lost;
      u64 received;
      u64 written;
      u64 untracked;
      u64 since_ns;
      enum rung rung;
      u32 reserved;
      """),
    event(
      15, "owner",
      """
      u64 start_ns;
      u64 cgroup;
      u32 owner_pid;
      u32 owner_tid;
      u32 pid_namespace;
      u32 levels;
      u32 pids[32];
      """),
    event(
      16, "omitted",
      """
      enum result result;
      enum operation_kind kind;
      u32 reserved;
      """),
    event(
      17, "cgroup",
      """
      u64 cgroup;
      u32 reserved;
      u32 path_size;
      text path[path_size];
      """),
    event(
      18, "backing",
      """
      u64x address;
      u64x identity;
      u64 blocks_max;
      u64 blocks_used;
      u64 huge_size;
      u64 huge_total;
      u64 huge_free;
      u64 huge_reserved;
      u64 huge_surplus;
      u64 huge_overcommit;
      s64 subpool_max;
      s64 subpool_used;
      u64 group;
      u64 group_usage;
      u64 group_max;
      u64 group_reserved;
      u64 group_reserved_usage;
      u64 group_reserved_max;
      u32x has;
      u32x flags;
      u32x device;
      u32 reserved;
      u32 reserved2;
      u32 path_size;
      text path[path_size];
      """),
    event(
      19, "folio",
      """
      u64x folio;
      u64x pfn;
      u64x address;
      u64x page_flags;
      u64 index;
      u64 inode;
      s32 references;
      s32 mappings;
      s32 pins;
      u32 pages;
      enum zone zone;
      u32 node;
      u32x state;
      u32x has;
      """),
    event(
      20, "refusal",
      """
      u64 cgroup;
      u64 usage;
      u64 limit;
      u64 killed_ns;
      enum refusal_what what;
      u32 resource;
      u32x flags;
      u32 exit_code;
      text name[32];
      """),
    event(
      21, "forked",
      """
      u64x address;
      u64x start;
      u64x end;
      u64x vm_flags;
      u64 forked_ns;
      u32 pid;
      u32 generation;
      text comm[16];
      """),
    event(
      22, "shed",
      """
      u64 shed;
      u64 missed;
      u64 since_ns;
      """),
  ].joined()

  private static func event(_ id: Int, _ name: String, _ fields: String) -> String {
    let lines = fields.split(separator: "\n").map { "\t\t\($0)\n" }.joined()
    return """
      event {
      \tid = \(id);
      \tname = "\(name)";
      \tstream_id = 0;
      \tfields := struct {
      \(lines)\t};
      };

      """
  }
}
