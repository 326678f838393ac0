// SPDX-License-Identifier: Apache-2.0

import CBPF
import Testing

/// Programs of a few instructions, and of many at random, before and after `cbpf_prune()`.
@Suite struct PruneTests {
  private static let map: Int32 = 7
  private static let constants: [UInt32] = [0, 1, 0x8000_0001, 40, 0xffff_ffff, 2, 3, 0]

  /// `if (constants[0]) r0 = first(); else r0 = second();`, of which only the second is left, as a number it is known to be.
  @Test func aBranchThatIsNotTakenGoesWithWhatItCalls() throws {
    let program: [Instruction] =
      .constant(6, at: 0) + [
        .load(6, from: 6),
        .branch(.equal, 6, 0, by: 2),
        .call(by: 3),
        .exit,
        .call(by: 3),
        .exit,
        .move(0, 11), .exit,  // 8: the first
        .move(0, 22), .exit,  // 10: the second
      ]
    let pruned = try #require(prune(program, functions: [0, 8, 10]))
    #expect(pruned.code == [.call(by: 1), .exit, .move(0, 22), .exit])
    #expect(pruned.functions == [0, 2])
  }

  @Test func whatDependsStays() throws {
    let program: [Instruction] =
      .constant(2, at: 12) + [
        .load(2, from: 2),  // 40
        .branchX(.greater, 1, 2, by: 2),
        .move(0, 1),
        .exit,
        .moveX(0, 1),
        .exit,
      ]
    let pruned = try #require(prune(program, functions: [0]))
    #expect(
      pruned.code == [
        .branch(.greater, 1, 40, by: 2), .move(0, 1), .exit, .moveX(0, 1), .exit,
      ])
  }

  /// A register that is another number by another way is none.
  @Test func waysThatMeet() throws {
    let program: [Instruction] = [
      .move(0, 1), .move(2, 5),
      .branch(.equal, 1, 0, by: 1),
      .move(0, 2),
      .branch(.equal, 0, 2, by: 1),  // depends
      .move(2, 6),
      .branch(.equal, 2, 7, by: 1),  // 5 or 6: depends, for all that is known
      .move(0, 3),
      .exit,
    ]
    #expect(try #require(prune(program, functions: [0])).code == program)
  }

  /// A loop's own change of a register is seen at its head.
  @Test func loops() throws {
    let program: [Instruction] = [
      .move(0, 0),
      .calculate(.add, 0, 1),
      .branch(.less, 0, 5, by: -2),
      .exit,
    ]
    #expect(try #require(prune(program, functions: [0])).code == program)
  }

  /// Instructions of other kinds, and jumps to nowhere: nothing is done.
  @Test(arguments: [UInt64(0xe5), 0x06, 0x0000_0000_7fff_0005, 0x20])
  func whatIsNotKnownIsLeftAlone(odd: UInt64) {
    #expect(prune([Instruction(word: odd), .move(0, 0), .exit], functions: [0]) == nil)
  }

  /// The same result, whatever the arguments are; and in the end something did go.
  @Test func randomPrograms() throws {
    var random = Generator(state: 42)
    var gone = 0
    for _ in 0..<3000 {
      let program = random.program()
      let pruned = try #require(prune(program, functions: [0]))
      gone += program.count - pruned.code.count
      for _ in 0..<4 {
        let arguments = (0..<10).map { _ in random.argument() }
        #expect(
          run(program, arguments) == run(pruned.code, arguments), "\(program) -> \(pruned.code)")
      }
    }
    #expect(gone > 3000)
  }

  // MARK: -

  private func prune(
    _ program: [Instruction], functions: [UInt32]
  ) -> (code: [Instruction], functions: [UInt32])? {
    var code = program.map(\.word)
    // as struct bpf_func_info: where it begins, and its type
    var records: [UInt32] = functions.flatMap { [$0, 1] as [UInt32] }
    var count = UInt32(functions.count)
    let left = PruneTests.constants.withUnsafeBytes { bytes in
      var constants = cbpf_constants(
        map: PruneTests.map, bytes: bytes.baseAddress, size: bytes.count)
      return code.withUnsafeMutableBytes { code in
        cbpf_prune(
          code.assumingMemoryBound(to: bpf_insn.self).baseAddress, UInt32(program.count),
          &constants, &records, &count, 8)
      }
    }
    guard left > 0 else { return nil }
    return (
      code.prefix(Int(left)).map(Instruction.init(word:)),
      (0..<Int(count)).map { records[2 * $0] }
    )
  }

  /// What the processor would do.
  private func run(_ program: [Instruction], _ arguments: [UInt64]) -> UInt64? {
    var r = arguments
    var at = 0
    for _ in 0..<10_000 {
      guard program.indices.contains(at) else { return nil }
      let i = program[at]
      at += 1
      let other = i.code & 8 != 0 ? r[i.source] : UInt64(bitPattern: Int64(i.number))
      switch i.code & 7 {
      case 0:
        let high = UInt64(UInt32(bitPattern: program[at].number))
        // an address of constants is how far it is into them
        r[i.target] = i.source == 2 ? high : high << 32 | UInt64(UInt32(bitPattern: i.number))
        at += 1
      case 1:
        let from = Int(r[i.source]) + i.offset
        r[i.target] = PruneTests.constants.withUnsafeBytes { bytes in
          i.code & 0x18 == 0x18
            ? bytes.loadUnaligned(fromByteOffset: from, as: UInt64.self)
            : UInt64(bytes.loadUnaligned(fromByteOffset: from, as: UInt32.self))
        }
      case 4: r[i.target] = UInt64(UInt32(truncatingIfNeeded: calculate(i, r[i.target], other)))
      case 7: r[i.target] = calculate(i, r[i.target], other)
      default:
        if i.code == 0x95 { return r[0] }
        if i.code == 0x05 || jumps(i, r[i.target], other) { at += i.offset }
      }
    }
    return nil
  }

  private func calculate(_ i: Instruction, _ a: UInt64, _ b: UInt64) -> UInt64 {
    let narrow = i.code & 7 == 4
    let a = narrow ? UInt64(UInt32(truncatingIfNeeded: a)) : a
    let b = narrow ? UInt64(UInt32(truncatingIfNeeded: b)) : b
    let shift = b & (narrow ? 31 : 63)
    switch Instruction.Calculation(rawValue: i.code & 0xf0) {
    case .add: return a &+ b
    case .subtract: return a &- b
    case .multiply: return a &* b
    case .or: return a | b
    case .and: return a & b
    case .shiftLeft: return a << shift
    case .shiftRight: return a >> shift
    case .negate: return 0 &- a
    case .exclusiveOr: return a ^ b
    case .move: return b
    case .shiftSigned:
      return narrow
        ? UInt64(UInt32(bitPattern: Int32(truncatingIfNeeded: a) >> Int32(shift)))
        : UInt64(bitPattern: Int64(bitPattern: a) >> Int64(shift))
    case nil: return 0
    }
  }

  private func jumps(_ i: Instruction, _ a: UInt64, _ b: UInt64) -> Bool {
    let narrow = i.code & 7 == 6
    let x = narrow ? UInt64(UInt32(truncatingIfNeeded: a)) : a
    let y = narrow ? UInt64(UInt32(truncatingIfNeeded: b)) : b
    let s = narrow ? Int64(Int32(truncatingIfNeeded: a)) : Int64(bitPattern: a)
    let t = narrow ? Int64(Int32(truncatingIfNeeded: b)) : Int64(bitPattern: b)
    switch Instruction.Comparison(rawValue: i.code & 0xf0) {
    case .equal: return x == y
    case .greater: return x > y
    case .greaterOrEqual: return x >= y
    case .anyBit: return x & y != 0
    case .notEqual: return x != y
    case .signedGreater: return s > t
    case .signedGreaterOrEqual: return s >= t
    case .less: return x < y
    case .lessOrEqual: return x <= y
    case .signedLess: return s < t
    case .signedLessOrEqual: return s <= t
    case nil: return false
    }
  }

  struct Instruction: Equatable, CustomStringConvertible {
    enum Calculation: UInt8, CaseIterable {
      case add = 0x00, subtract = 0x10, multiply = 0x20, or = 0x40, and = 0x50, shiftLeft = 0x60
      case shiftRight = 0x70, negate = 0x80, exclusiveOr = 0xa0, move = 0xb0, shiftSigned = 0xc0
    }
    enum Comparison: UInt8, CaseIterable {
      case equal = 0x10, greater = 0x20, greaterOrEqual = 0x30, anyBit = 0x40, notEqual = 0x50
      case signedGreater = 0x60, signedGreaterOrEqual = 0x70, less = 0xa0, lessOrEqual = 0xb0
      case signedLess = 0xc0, signedLessOrEqual = 0xd0
    }

    var word: UInt64
    var code: UInt8 { UInt8(truncatingIfNeeded: word) }
    var target: Int { Int(word >> 8 & 15) }
    var source: Int { Int(word >> 12 & 15) }
    var offset: Int { Int(Int16(truncatingIfNeeded: word >> 16)) }
    var number: Int32 { Int32(truncatingIfNeeded: word >> 32) }
    var description: String { String(word, radix: 16) }

    init(word: UInt64) { self.word = word }
    init(_ code: UInt8, _ target: Int, _ source: Int = 0, _ offset: Int = 0, _ number: Int32 = 0) {
      let registers = UInt64(target) << 8 | UInt64(source) << 12
      word =
        UInt64(code) | registers | UInt64(UInt16(truncatingIfNeeded: offset)) << 16
        | UInt64(UInt32(bitPattern: number)) << 32
    }

    static let exit = Instruction(0x95, 0)
    static func call(by: Int32) -> Instruction { Instruction(0x85, 0, 1, 0, by) }
    static func move(_ to: Int, _ number: Int32) -> Instruction {
      Instruction(0xb7, to, 0, 0, number)
    }
    static func moveX(_ to: Int, _ from: Int) -> Instruction { Instruction(0xbf, to, from) }
    static func load(_ to: Int, from: Int) -> Instruction { Instruction(0x61, to, from) }
    static func calculate(_ what: Calculation, _ to: Int, _ number: Int32) -> Instruction {
      Instruction(0x07 | what.rawValue, to, 0, 0, number)
    }
    static func branch(_ how: Comparison, _ a: Int, _ b: Int32, by: Int) -> Instruction {
      Instruction(0x05 | how.rawValue, a, 0, by, b)
    }
    static func branchX(_ how: Comparison, _ a: Int, _ b: Int, by: Int) -> Instruction {
      Instruction(0x0d | how.rawValue, a, b, by)
    }
  }

  private struct Generator {
    var state: UInt64

    mutating func next(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % below
    }

    mutating func number() -> Int32 { [0, 1, 2, 40, -1, .min, .max, 0x1234][next(8)] }
    mutating func argument() -> UInt64 { UInt64(bitPattern: Int64(number())) &* UInt64(next(3)) }

    /// Forward jumps only: it ends. R9 is kept for addresses of constants.
    mutating func program() -> [Instruction] {
      var code: [Instruction] = []
      let length = 4 + next(40)
      var starts: [Int] = []
      var jumps: [(at: Int, to: Int)] = []
      for index in 0..<length {
        starts.append(code.count)
        let target = next(5)
        let source = next(5)
        switch next(10) {
        case 0, 1:
          let wide = next(2) == 0
          code += .constant(9, at: 0)
          code.append(Instruction(wide ? 0x79 : 0x61, target, 9, 4 * next(wide ? 7 : 8)))
        case 2: code.append(.move(target, number()))
        case 3:
          code.append(Instruction(0x18, target, 0, 0, number()))
          code.append(Instruction(0, 0, 0, 0, number()))
        case 4, 5, 6, 7:
          let what = Instruction.Calculation.allCases[next(11)]
          let width: UInt8 = next(2) == 0 ? 4 : 7
          let shifts = [.shiftLeft, .shiftRight, .shiftSigned].contains(what)
          let byRegister = next(2) == 0 && what != .negate
          code.append(
            Instruction(
              width | what.rawValue | (byRegister ? 8 : 0), target, byRegister ? source : 0, 0,
              byRegister || what == .negate ? 0 : shifts ? Int32(next(32)) : number()))
        default:
          let how = Instruction.Comparison.allCases[next(11)]
          let byRegister = next(2) == 0
          jumps.append((code.count, index + 1 + next(6)))
          code.append(
            Instruction(
              (next(2) == 0 ? 5 : 6) | how.rawValue | (byRegister ? 8 : 0), target,
              byRegister ? source : 0, 0, byRegister ? 0 : number()))
        }
      }
      starts.append(code.count)
      for jump in jumps {
        let i = code[jump.at]
        let to = starts[min(jump.to, length)]
        code[jump.at] = Instruction(i.code, i.target, i.source, to - jump.at - 1, i.number)
      }
      return code + [.exit]
    }
  }
}

extension [PruneTests.Instruction] {
  /// The address of a constant, as libbpf writes it.
  fileprivate static func constant(_ target: Int, at: Int32) -> [PruneTests.Instruction] {
    [PruneTests.Instruction(0x18, target, 2, 0, 7), PruneTests.Instruction(0, 0, 0, 0, at)]
  }
}
