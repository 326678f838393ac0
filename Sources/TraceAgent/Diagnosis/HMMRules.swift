// SPDX-License-Identifier: Apache-2.0

import Model

/// What HMM of one kernel generation lets pass (mm/hmm.c). The same functions find the entry that
/// the running kernel rejected and compute what others would have done with it.
struct HMMRules: Equatable, Sendable {
  enum Devmap: Sendable {
    /// The fix of 2021 (4b42fb213678) leaves no trace in a kernel's symbols: the evidence tells.
    case untold
    /// Taken for a page without struct page.
    case refused
    case accepted
    /// No page is mapped so any more: those of fsdax have ordinary entries.
    case ordinary
  }

  enum Verdict: Equatable, Sendable {
    case accepted
    /// A fault is tried, or a migration waited for.
    case wantsFault
    case refused(RefusedEntry.Reason)
  }

  enum MappingRefusal: Sendable { case device, notReadable, mixedMap }

  var devmap: Devmap
  /// A marker other than userfaultfd's is an error at once; before, every marker got a fault.
  var refusesMarkers: Bool
  /// Another owner's device-private page is an error; later kernels fault it back.
  var refusesDevicePrivate: Bool
  var refusesMixedMap: Bool
  /// A fault may wait for a userfaultfd handler.
  var waitsForUserfaultfd: Bool

  init(_ traits: KernelTraits) {
    devmap = traits.specialRule == .noDevmap ? .ordinary : .untold
    // No symbol tells.
    refusesMarkers = KernelRelease(traits.release).map { $0 >= KernelRelease(7, 0) } ?? false
    refusesDevicePrivate = traits.pageTables.swapTypes.pteMarker == nil
    refusesMixedMap = traits.rejectsMixedMap
    waitsForUserfaultfd = traits.faultsOutsideWalk
  }

  init(
    devmap: Devmap, refusesMarkers: Bool, refusesDevicePrivate: Bool, refusesMixedMap: Bool,
    waitsForUserfaultfd: Bool
  ) {
    self.devmap = devmap
    self.refusesMarkers = refusesMarkers
    self.refusesDevicePrivate = refusesDevicePrivate
    self.refusesMixedMap = refusesMixedMap
    self.waitsForUserfaultfd = waitsForUserfaultfd
  }

  /// hmm_vma_handle_pte() for one entry.
  func verdict(_ entry: DecodedEntry, wantsWrite: Bool, isZeroPage: Bool) -> Verdict {
    switch entry.kind {
    case .none, .protnone, .swap, .deviceExclusive, .migrationRead, .migrationReadExclusive,
      .migrationWrite, .table:
      return .wantsFault
    case .marker(let marker):
      return marker == .uffdWP || !refusesMarkers ? .wantsFault : .refused(.marker)
    case .hwpoison, .bad: return .refused(.hwpoison)
    case .swapinError: return .refused(.swapinError)
    case .devicePrivateRead, .devicePrivateWrite:
      return refusesDevicePrivate ? .refused(.devicePrivate) : .wantsFault
    case .present:
      if wantsWrite && !entry.isWritable { return .wantsFault }
      guard entry.isSpecial, !isZeroPage else { return .accepted }
      guard entry.isDevmap else { return .refused(.special) }
      return devmap == .untold || devmap == .refused ? .refused(.specialDevmap) : .accepted
    }
  }

  /// hmm_vma_walk_test().
  func refusal(of flags: VMAFlags) -> MappingRefusal? {
    if !flags.isDisjoint(with: [.io, .pfnMap]) { return .device }
    if !flags.contains(.read) { return .notReadable }
    return refusesMixedMap && flags.contains(.mixedMap) ? .mixedMap : nil
  }

  /// hmm_vma_fault(), 7.3 hmm_do_fault(): -EPERM before the first fault.
  func refusesWrite(to flags: VMAFlags) -> Bool { !flags.contains(.write) }
}
