internal import TocsinCore

internal import Configuration

/// One source of settings: a provider, and where each of its settings stands.
struct Layer: Sendable {
    let provider: any ConfigProvider
    /// By concrete key (`sources.0.kind`), and for maps by key and entry name (`input.validRanges.temperature`).
    var origins: [String: Origin] = [:]
    /// Indices given in lists of groups: `sources` → 0, 1.
    var elements: [String: Set<Int>] = [:]
    /// Maps that stand in a file, one entry a line.
    var lines: [String: [String]] = [:]

    /// The text of a key, nil where this layer does not set it. Maps come as a list of `name=value`.
    func text(_ key: String, shape: KeyEntry.Shape) -> SettingText? {
        if shape == .map, let lines = lines[key] { return .list(lines) }
        let components = key.split(separator: ".").map(String.init)
        let type: ConfigType = shape == .scalar ? .string : .stringArray
        // A miss and a value of another type are both "not here": the latter was reported when the layer was made.
        let found = try? provider.value(forKey: AbsoluteConfigKey(components), type: type)
        return switch found?.value?.content {
        case .string(let text): .scalar(text)
        case .stringArray(let items): .list(items)
        default: nil
        }
    }

    func origin(of key: String) -> Origin { origins[key] ?? .default }

    /// The place of the first setting, by name, whose key begins like this.
    func origin(withPrefix prefix: String) -> Origin? {
        origins.filter { $0.key.hasPrefix(prefix) }.min { $0.key < $1.key }?.value
    }
}

/// Collects settings and their places for an in-memory layer.
struct LayerBuilder {
    private var values: [AbsoluteConfigKey: ConfigValue] = [:]
    private var lists: [String: [String]] = [:]
    private(set) var origins: [String: Origin] = [:]
    private(set) var elements: [String: Set<Int>] = [:]

    mutating func set(_ key: String, _ text: SettingText, at origin: Origin, isSecret: Bool) {
        let content: ConfigContent =
            switch text {
            case .scalar(let scalar): .string(scalar)
            case .list(let items): .stringArray(items)
            }
        values[Self.absolute(key)] = ConfigValue(content, isSecret: isSecret)
        origins[key] = origin
    }

    /// Adds one entry to a map.
    mutating func set(_ key: String, entry: String, _ text: String, at origin: Origin, isSecret: Bool) {
        lists[key, default: []].append("\(entry)=\(text)")
        values[Self.absolute(key)] = ConfigValue(.stringArray(lists[key] ?? []), isSecret: isSecret)
        origins["\(key).\(entry)"] = origin
        origins[key] = origins[key] ?? origin
    }

    /// Notes that the list is given without elements.
    mutating func declareEmpty(_ list: String) { elements[list] = elements[list] ?? [] }

    func has(_ key: String) -> Bool { origins[key] != nil }

    mutating func addElement(_ index: Int, of list: String) { elements[list, default: []].insert(index) }

    func layer(named name: String) -> Layer {
        Layer(provider: InMemoryProvider(name: name, values: values), origins: origins, elements: elements)
    }

    private static func absolute(_ key: String) -> AbsoluteConfigKey {
        AbsoluteConfigKey(key.split(separator: ".").map(String.init))
    }

    /// `a, b,c` as its items, as the environment provider splits them.
    static func items(_ text: String) -> [String] {
        text.isEmpty ? [] : text.split(separator: ",", omittingEmptySubsequences: false).map { String($0).trimmed }
    }
}
