/// The layer of command-line flags: dotted keys with their text.
struct FlagLayer {
    private var builder = LayerBuilder()
    private(set) var problems: [ConfigurationProblem] = []

    /// - Parameter names: how a key's flag is written on the command line, where not as `--key`.
    init(_ flags: [String: String], names: [String: String]) {
        for (key, text) in flags.sorted(by: { $0.key < $1.key }) {
            let origin = Origin.flag(names[key] ?? "--\(key)")
            guard let (entry, mapName) = KeyRegistry.entry(for: key), isComplete(key, entry) else {
                let group = key.split(separator: ".").dropLast().joined(separator: ".")
                let pattern = KeyRegistry.pattern(of: group)
                let last = key.split(separator: ".").last.map(String.init) ?? key
                let isKnownGroup = pattern.isEmpty || KeyRegistry.groups.contains(pattern)
                problems.append(
                    ConfigurationProblem(
                        "unknown key `\(key)`", at: origin,
                        remedy: isKnownGroup
                            ? KeyRegistry.suggestion(for: last, in: pattern)
                            : EditDistance.nearest(to: key, in: KeyRegistry.entries.map(\.name))
                                .map { "did you mean `\($0)`?" }))
                continue
            }
            if let mapName {
                let name = String(key.dropLast(mapName.count + 1))
                builder.set(name, entry: mapName, text, at: origin, isSecret: entry.isSecret)
            } else {
                let value: SettingText = entry.shape == .scalar ? .scalar(text) : .list(LayerBuilder.items(text))
                builder.set(key, value, at: origin, isSecret: entry.isSecret)
            }
            addElement(of: key)
        }
    }

    var layer: Layer { builder.layer(named: "flags") }

    /// A key of a list of groups names its element: `sources.0.kind`, not `sources[].kind`.
    private func isComplete(_ key: String, _ entry: KeyEntry) -> Bool { !key.contains("[]") }

    private mutating func addElement(of key: String) {
        for list in KeyRegistry.groupLists where key.hasPrefix(list + ".") {
            let index = key.dropFirst(list.count + 1).prefix { $0 != "." }
            if let index = Int(index) { builder.addElement(index, of: list) }
        }
    }
}
