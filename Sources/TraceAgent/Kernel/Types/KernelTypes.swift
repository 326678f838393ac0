// SPDX-License-Identifier: Apache-2.0

/// The types of the kernel and of some of its modules, as the files in /sys/kernel/btf have them.
///
/// These are readable for all, while the kernel hands out a module's BTF by id to CAP_SYS_ADMIN alone. Of a module, one
/// holds only what the kernel's does not: its ids and string offsets go on where those of vmlinux end.
struct KernelTypes {
  /// The kernel's, then the modules'.
  let files: [BTFFile]
  /// Of the files after the first.
  let modules: [String]

  /// A function's place among the types.
  struct Function: Equatable {
    /// nil: the kernel's own.
    var module: String?
    var id: UInt32
  }

  /// Of `modules`, those that have types; nil where the kernel's own cannot be read, or a file is damaged.
  init?(modules: Set<String>, in directory: String = "/sys/kernel/btf") {
    guard let kernel = FileBytes("\(directory)/vmlinux") else { return nil }
    self.init(
      kernel: kernel,
      modules: modules.sorted().compactMap { name in
        FileBytes("\(directory)/\(name)").map { (name, $0) }
      })
  }

  init?(kernel: FileBytes, modules: [(name: String, file: FileBytes)]) {
    guard let base = BTFFile(kernel) else { return nil }
    var files = [base]
    for module in modules {
      guard let file = BTFFile(module.file) else { return nil }
      files.append(file)
    }
    self.files = files
    self.modules = modules.map(\.name)
  }

  /// Where the type that a file knows by this id stands; nil for void and for an id that no file has.
  func type(_ id: UInt32, of file: Int) -> (file: Int, place: Int)? {
    guard id > 0 else { return nil }
    let place = Int(id) - 1
    let own = files[0].places.count
    if place < own { return (0, place) }
    guard file > 0, place - own < files[file].places.count else { return nil }
    return (file, place - own)
  }

  /// Where the name at `offset` of a file's strings stands; nil where it is empty or none.
  func name(_ offset: UInt32, of file: Int) -> (file: Int, at: Int)? {
    guard offset > 0 else { return nil }
    let offset = Int(offset)
    let own = files[0].strings.count
    if offset < own { return (0, files[0].strings.lowerBound + offset) }
    guard file > 0, offset - own < files[file].strings.count else { return nil }
    return (file, files[file].strings.lowerBound + offset - own)
  }

  /// Those of these functions that have types: the kernel's before a module's, the first where there are several.
  func functions(_ names: Set<String>) -> [String: Function] {
    var found: [String: Function] = [:]
    let names = names.sorted()
    let table = NameTable(names)
    for (number, file) in files.enumerated() {
      let before = number == 0 ? 0 : files[0].places.count
      for (index, place) in file.places.enumerated() {
        let at = Int(place)
        guard BTFFile.kind(BTFFile.word(file.bytes, at + 4)) == BTFFile.Kind.function,
          let name = name(BTFFile.word(file.bytes, at), of: number),
          let which = table.find(files[name.file].bytes, name.at), found[names[which]] == nil,
          let id = UInt32(exactly: before + index + 1)
        else { continue }
        found[names[which]] = Function(module: number == 0 ? nil : modules[number - 1], id: id)
      }
    }
    return found
  }
}
