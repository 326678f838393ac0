// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@testable import Terminal

/// Exact texts: what a person reads is a part of the product.
@Suite struct ReportTextTests {
  @Test func anOwnerInAContainerHasBothNumbers() {
    var diagnosis = DiagnosisSamples.specialPage
    diagnosis.operation.owner = OwnerEvidence(
      pids: [412, 7], pidNamespace: 4_026_532_000, startNs: 1, cgroup: nil)
    let text = ReportText.render(diagnosis, index: 1, style: .plain(), clockOffsetNs: nil)
    #expect(text.contains("  pid 412 (server, 7 in its container), device rxe0,"))
    diagnosis.operation.ownerComm = nil
    diagnosis.operation.runner.comm = "server"
    diagnosis.operation.owner = nil
    #expect(
      ReportText.render(diagnosis, index: 1, style: .plain(), clockOffsetNs: nil)
        .contains("  pid 412 (server), device rxe0,"))
  }

  @Test func specialPageOnFSDAX() {
    #expect(
      ReportText.render(
        DiagnosisSamples.specialPage, index: 1, style: .plain(),
        clockOffsetNs: 1_795_000_000_000_000_000)
          == #"""
          1. advise_mr failed with EFAULT: pte-special-devmap (proved)
            pid 412 (server), device rxe0, returned by the system call, after 48.2 us,
            at 2026-11-18 11:06:40.001234 UTC

            advise_mr failed with EFAULT: page 0x7f10c0003000 of /mnt/pmem/pool (fsdax, offset 12288) is
            mapped by a PTE with SPECIAL and DEVMAP set, and this kernel's hmm_vma_handle_pte() takes every
            special PTE for one without a struct page

            page     0x7f10c0003000, pte 0x8400000028040267
                address            raw (of the first)  flags
                0x7f10c0001000 x2  0x800000002803e067  PRESENT RW USER ACCESSED DIRTY                NX
              > 0x7f10c0003000     0x8400000028040267  PRESENT RW USER ACCESSED DIRTY SPECIAL DEVMAP NX
                0x7f10c0004000     0x0                 none: no entry
                only this page has SPECIAL DEVMAP
            mapping  0x7f10c0000000-0x7f10c0200000 rw-s READ WRITE SHARED
                     /mnt/pmem/pool, offset 12288, file size 2097152 bytes (2 MiB)
                     ext4 on pmem0, fsdax, inode 13
            request  PREFETCH_WRITE FLUSH, 0x7f10c0000000, 262144 bytes (256 KiB), lkey 0x1a2b
            mr       0x7f10c0000000, 2097152 bytes (2 MiB), LOCAL_WRITE REMOTE_WRITE ON_DEMAND
            errno    hmm_vma_handle_pte            -EFAULT  replayed
                     hmm_vma_walk_pmd              -EFAULT  direct
                     hmm_range_fault               -EFAULT  direct
                     ib_umem_odp_map_dma_and_lock  -EFAULT  direct
            kernel   hmm_vma_walk_pmd+0x1f <- walk_pgd_range+0x3b1 <- 0xffffffff8123aaaa

            What to do:
            - Run a kernel with commit 4b42fb213678: 5.15, 5.14.6, 5.13.19, 5.10.67 or later.
            - Until then map the file with 2 MiB pages: they do not reach this check.

            see      mm/hmm.c: hmm_vma_handle_pte()
                     commit 4b42fb213678

          """#)
  }

  @Test func missingMapping() {
    #expect(
      ReportText.render(DiagnosisSamples.missingMapping, index: 12, style: .plain()) == #"""
        12. page_fault failed with EFAULT: mapping-missing (proved)
          pid 412 (server), run by kworker/u8:1 (thread 77), device rxe0, seen as an error completion,
          after 48.2 us

          page_fault failed with EFAULT: nothing is mapped at 0x7f10c0005000

          page     0x7f10c0005000 (no page-table entry was read for it)
          mapping  no mapping holds 0x7f10c0005000: a gap of 4096 bytes (4 KiB),
                   0x7f10c0005000-0x7f10c0006000, between two mappings
          request  0x7f10c0005000, 4096 bytes (4 KiB)
          mr       0x7f10c0000000, 2097152 bytes (2 MiB), LOCAL_WRITE REMOTE_WRITE ON_DEMAND
          errno    hmm_vma_walk_hole           -EFAULT  direct
                   rxe_odp_map_range_and_lock  -EFAULT  direct

          What to do:
          - Keep the memory mapped until the MR is deregistered.

        """#)
  }

  @Test func beyondEOF() {
    #expect(
      ReportText.render(DiagnosisSamples.beyondEOF, index: nil, style: .plain()) == #"""
        prefetch failed with EFAULT: fault-beyond-eof (inferred)
          pid 500, run by kworker/u8:2 (thread 80), device rxe0, told to nobody
          Not proved: the evidence fits this cause, but does not rule out others.

          prefetch failed with EFAULT: the file is shorter than the range

          page     0x7f10c0003000, pte 0x0
              address         raw  flags
            > 0x7f10c0003000  0x0  none: no entry
          mapping  0x7f10c0000000-0x7f10c0200000 rw-s READ WRITE SHARED
                   /mnt/pmem/pool, offset 12288, beyond the end of the file: size 8192 bytes (8 KiB)
                   ext4 on pmem0, fsdax, inode 13
          mr       0x7f10c0000000, 2097152 bytes (2 MiB), LOCAL_WRITE REMOTE_WRITE ON_DEMAND
          errno    dax_iomap_pte_fault  VM_FAULT_SIGBUS  direct
                   hmm_vma_fault        -EFAULT          replayed  <- changed from VM_FAULT_SIGBUS

          What to do:
          - Give the file its size before registering it.

        """#)
  }

  @Test func mendedFailureIsNotAProblem() {
    #expect(
      ReportText.render(DiagnosisSamples.pinnedFSDAX, index: 3, style: .plain()) == #"""
        3. reg_mr EOPNOTSUPP: pin-fsdax (proved), mended by reg_mr with ON_DEMAND, not a problem
          pid 412 (server), device rxe0, returned by the system call, after 48.2 us

          reg_mr failed with EOPNOTSUPP: a long-term pin of fsdax is refused by design

          mapping  0x7f10c0000000-0x7f10c0200000 rw-s READ WRITE SHARED
                   /mnt/pmem/pool, file size 2097152 bytes (2 MiB)
                   ext4 on pmem0, fsdax, inode 13
          mr       0x7f10c0000000, 2097152 bytes (2 MiB), LOCAL_WRITE REMOTE_WRITE
          errno    ib_umem_get  -EOPNOTSUPP  direct

        """#)
  }

  @Test func pinnedFSDAX() {
    var diagnosis = DiagnosisSamples.pinnedFSDAX
    diagnosis.operation.recoveredBy = nil
    #expect(
      ReportText.render(diagnosis, index: 3, style: .plain()) == #"""
        3. reg_mr failed with EOPNOTSUPP: pin-fsdax (proved)
          pid 412 (server), device rxe0, returned by the system call, after 48.2 us

          reg_mr failed with EOPNOTSUPP: a long-term pin of fsdax is refused by design

          mapping  0x7f10c0000000-0x7f10c0200000 rw-s READ WRITE SHARED
                   /mnt/pmem/pool, file size 2097152 bytes (2 MiB)
                   ext4 on pmem0, fsdax, inode 13
          mr       0x7f10c0000000, 2097152 bytes (2 MiB), LOCAL_WRITE REMOTE_WRITE
          errno    ib_umem_get  -EOPNOTSUPP  direct

          What to do:
          - Register with IBV_ACCESS_ON_DEMAND.

        """#)
  }

  @Test func unknownShowsAllEvidence() {
    var diagnosis = DiagnosisSamples.unknown
    diagnosis.operation.faults = []
    #expect(
      ReportText.render(diagnosis, index: 1, style: .plain()) == #"""
        1. reg_mr failed with EINVAL: cause unknown
          pid 412 (server), thread 415, device rxe0, returned by the system call, after 48.2 us
          The evidence is incomplete: 2 records of it found no room and are lost.

          reg_mr failed with EINVAL; the deepest function that failed is hmm_vma_walk_pmd

          No cause is proved. Everything that was recorded of this failure:

          mr       0x7f10c0000000, 2097152 bytes (2 MiB), LOCAL_WRITE REMOTE_WRITE ON_DEMAND
          errno    hmm_vma_walk_pmd              -EFAULT  direct
                   ib_umem_odp_map_dma_and_lock  -EFAULT  direct
                   (the operation)               -EINVAL          <- changed from -EFAULT
          layers   function                      result   seen by  arguments
                   ib_umem_odp_map_dma_and_lock  -EFAULT  fexit    0x7f10c0000000 0x2000
          umem     ib_umem_odp_get: 0x7f10c0000000, 8192 bytes (8 KiB), writable, on-demand, page shift 12,
                   3 pages pinned by the process, memlock limit unlimited
          ranges   function         result   seen by  range                          asked
                   hmm_range_fault  -EFAULT  kprobe   0x7f10c0000000-0x7f10c0002000  fault write
          walks    function          result   seen by  range                          entry
                   hmm_vma_walk_pmd  -EFAULT  fexit    0x7f10c0000000-0x7f10c0002000  0x100067
                       last 0x7f10c0000000, needs a write fault
          levels   0x7f10c0000000: pgd 0x1067 pte 0x0
          entries  5 page-table entries of the walk, from 0x7f10c0000000:
                   0x7f10c0000000 2 pages 0x8000000001000067 (first; frames differ)
                   0x7f10c0002000 2 pages none
                   0x7f10c0004000 1 page 0x25
          mapping  asked for 0x7f10c0000000:
                   0x7f10c0000000-0x7f10c0200000 rw-s READ WRITE SHARED
                   anonymous memory
          kernel   walk+0x1 (3 times) <- frame0+0x1 <- frame1+0x1 <- frame2+0x1 <- frame3+0x1 <- frame4+0x1
                   <- 4 more
          user     libibverbs.so.1+0x1234

        """#)
  }

  @Test func aWitnessedFaultIsShown() {
    let text = ReportText.render(DiagnosisSamples.unknown, index: 1, style: .plain())
    let names = VMFault.names(2).joined(separator: "|")
    #expect(names.contains("SIGBUS"))
    #expect(
      text.contains("\n           handle_mm_fault  0x7f10c0000000  \(names)  fault flags 0x81\n"))
  }

  @Test func unknownWithoutEvidenceSaysSo() {
    let operation = Operation(
      kind: .regMR, runner: .init(pid: 1, tid: 1, comm: "a"), endNs: 5, result: -14)
    let diagnosis = Diagnosis(operation: operation, errno: .fault, delivered: .syscall)
    #expect(
      ReportText.render(diagnosis, index: nil, style: .plain()) == """
        reg_mr failed with EFAULT: cause unknown
          pid 1 (a), returned by the system call

          No cause is proved. Everything that was recorded of this failure:

          evidence none was recorded

        """)
  }

  @Test func narrow() {
    #expect(
      ReportText.render(DiagnosisSamples.specialPage, index: 1, style: .plain(width: 60)) == #"""
        1. advise_mr failed with EFAULT: pte-special-devmap (proved)
          pid 412 (server), device rxe0,
          returned by the system call, after 48.2 us

          advise_mr failed with EFAULT: page 0x7f10c0003000 of
          /mnt/pmem/pool (fsdax, offset 12288) is mapped by a PTE
          with SPECIAL and DEVMAP set, and this kernel's
          hmm_vma_handle_pte() takes every special PTE for one
          without a struct page

          page     0x7f10c0003000, pte 0x8400000028040267
              address            raw (of the first)
              0x7f10c0001000 x2  0x800000002803e067
                PRESENT RW USER ACCESSED DIRTY NX
            > 0x7f10c0003000     0x8400000028040267
                PRESENT RW USER ACCESSED DIRTY SPECIAL DEVMAP NX
              0x7f10c0004000     0x0
                none: no entry
              only this page has SPECIAL DEVMAP
          mapping  0x7f10c0000000-0x7f10c0200000 rw-s READ WRITE
                   SHARED
                   /mnt/pmem/pool, offset 12288, file size 2097152
                   bytes (2 MiB)
                   ext4 on pmem0, fsdax, inode 13
          request  PREFETCH_WRITE FLUSH, 0x7f10c0000000,
                   262144 bytes (256 KiB), lkey 0x1a2b
          mr       0x7f10c0000000, 2097152 bytes (2 MiB),
                   LOCAL_WRITE REMOTE_WRITE ON_DEMAND
          errno    hmm_vma_handle_pte            -EFAULT  replayed
                   hmm_vma_walk_pmd              -EFAULT  direct
                   hmm_range_fault               -EFAULT  direct
                   ib_umem_odp_map_dma_and_lock  -EFAULT  direct
          kernel   hmm_vma_walk_pmd+0x1f <- walk_pgd_range+0x3b1 <-
                   0xffffffff8123aaaa

          What to do:
          - Run a kernel with commit 4b42fb213678: 5.15, 5.14.6,
            5.13.19, 5.10.67 or later.
          - Until then map the file with 2 MiB pages: they do not
            reach this check.

          see      mm/hmm.c: hmm_vma_handle_pte()
                   commit 4b42fb213678

        """#)
  }

  static let samples = [
    DiagnosisSamples.specialPage, DiagnosisSamples.missingMapping, DiagnosisSamples.beyondEOF,
    DiagnosisSamples.pinnedFSDAX,
  ]

  @Test(arguments: samples)
  func aNarrowTextStaysWithinItsWidth(diagnosis: Diagnosis) {
    let text = ReportText.render(
      diagnosis, index: 1, style: .plain(width: 60), clockOffsetNs: 1_795_000_000_000_000_000)
    for line in text.split(separator: "\n") {
      #expect(line.count <= 60, "\(line)")
      #expect(line.last != " ", "\(line)")
    }
  }

  @Test func aWideTerminalWidensTablesAndNotProse() {
    let text = ReportText.render(DiagnosisSamples.unknown, index: 1, style: .plain(width: 200))
    // At 100 columns the notes of a walk stand below it.
    #expect(text.contains("  0x100067  last 0x7f10c0000000, needs a write fault\n"))
    let special = ReportText.render(
      DiagnosisSamples.specialPage, index: 1, style: .plain(width: 200))
    for line in special.split(separator: "\n") { #expect(line.count <= 100, "\(line)") }
  }

  @Test func everyLineOfAColouredTextIsThePlainOne() {
    let colour = Style(isTerminal: true, noColor: nil, term: "xterm", width: 100)
    for diagnosis in ReportTextTests.samples + [DiagnosisSamples.unknown] {
      let coloured = ReportText.render(diagnosis, index: 1, style: colour)
      #expect(coloured.contains("\u{1b}["))
      let plain = ReportText.render(diagnosis, index: 1, style: .plain())
      #expect(coloured.replacing(/\u{1b}\[[0-9;]*m/, with: "") == plain)
    }
    let noColour = Style(isTerminal: true, noColor: "1", term: "xterm", width: 100)
    #expect(
      !ReportText.render(DiagnosisSamples.unknown, index: 1, style: noColour).contains("\u{1b}"))
  }

  /// A name, a path, a symbol, a sentence made of them: nothing of it reaches the terminal raw.
  @Test func hostileNamesAreSpelledOut() {
    let attack = "\u{1b}[2J\u{9b}31m\u{7}\r\u{202e}"
    var diagnosis = DiagnosisSamples.unknown
    diagnosis.operation.runner.comm = attack
    diagnosis.operation.device = attack
    diagnosis.operation.ownerComm = attack
    diagnosis.operation.recoveredBy = attack
    diagnosis.operation.userStack = [StackFrame(address: 1, name: attack)]
    diagnosis.operation.layers[0].function = attack
    diagnosis.operation.mappings[0].file = DiagnosisSamples.file()
    diagnosis.operation.mappings[0].file?.path = attack
    diagnosis.operation.mappings[0].file?.filesystem = attack
    diagnosis.operation.mappings[0].file?.blockDevice = attack
    diagnosis.mapping = diagnosis.operation.mappings[0]
    diagnosis.chain = [.init(function: attack, result: .word(attack), seen: .direct)]
    diagnosis.page = Diagnosis.Page(address: 1, level: attack, raw: 1, flags: [attack])
    diagnosis.summary = attack
    diagnosis.advice = [attack]
    diagnosis.references = [attack]
    for cause in ["unknown", attack] {
      diagnosis.cause = cause
      let text = ReportText.render(diagnosis, index: 1, style: .plain())
      let unsafe = text.unicodeScalars.filter { $0 != "\n" && SafeText.isUnsafe($0) }
      #expect(unsafe.isEmpty)
      #expect(text.contains("(\\x1b[2J\\x9b31m\\x07\\r\\u{202e})"))
      let summary = ReportText.summaryTable(
        FailureTotals([diagnosis]),
        ReportSummary(
          loss: LossSummary(hooks: [.sample(attack, cut: 1, lost: 1)], problems: [attack])),
        style: .plain())
      #expect(!summary.unicodeScalars.contains { $0 != "\n" && SafeText.isUnsafe($0) })
    }
  }

  @Test func theErrnoTheUserGotEndsTheChain() {
    var diagnosis = DiagnosisSamples.specialPage
    #expect(ChainText.table(diagnosis).rows.count == 4)
    diagnosis.errno = .inval
    #expect(ChainText.table(diagnosis).rows.count == 5)
    // A fault code is not the errno's spelling: nothing is claimed of it.
    diagnosis.chain = [.init(function: "f", result: .word("VM_FAULT_OOM"), seen: .direct)]
    #expect(ChainText.table(diagnosis).rows.count == 1)
  }

  @Test func gapsOfUnknownExtent() {
    var gap = MappingEvidence(
      address: 0x5000, found: false, start: 0, end: 0, vmFlags: 0, pageOffset: 0)
    func text() -> String {
      MappingText.paragraphs(gap, fileOffset: nil, of: nil).joined().map(\.text).joined()
    }
    #expect(text() == "no mapping holds 0x5000")
    gap.nextStart = 0x6000
    #expect(text() == "no mapping holds 0x5000; the one above starts at 0x6000")
    gap.previousEnd = 0x7000
    #expect(text() == "no mapping holds 0x5000")
    gap.nextStart = nil
    #expect(text() == "no mapping holds 0x5000; the one below ends at 0x7000")
  }

  @Test(
    arguments: [
      (0, "---p"), (1, "r--p"), (1 | 2 | 8, "rw-s"), (1 | 4, "r-xp"), (1 | 1 << 7, "r--s"),
    ] as [(UInt64, String)])
  func permissions(flags: UInt64, text: String) {
    #expect(MappingText.permissions(flags) == text)
  }

  @Test func runsOfEntriesFoldByTheirFlags() {
    let evidence = EntriesEvidence(
      what: .pte, search: .walked, address: 0x1000,
      values: [0x1067, 0x2067, 0x3047, 0, 0, 0x1000, 0x2000])
    #expect(
      EvidenceText.runs(evidence) == [
        .init(address: 0x1000, count: 2, first: 0x1067, differing: true),
        .init(address: 0x3000, count: 1, first: 0x3047, differing: false),
        .init(address: 0x4000, count: 2, first: 0, differing: false),
        // Not present: the bits in the middle mean more than a frame.
        .init(address: 0x6000, count: 1, first: 0x1000, differing: false),
        .init(address: 0x7000, count: 1, first: 0x2000, differing: false),
      ])
  }
}
