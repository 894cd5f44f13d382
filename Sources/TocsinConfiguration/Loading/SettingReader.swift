internal import TocsinCore

/// Reads typed values out of the layers and notes every problem and every value's origin on the way.
struct SettingReader {
    /// Highest precedence first.
    let layers: [Layer]
    private(set) var problems: [ConfigurationProblem] = []
    private(set) var settings: [Setting] = []
    private(set) var origins: [String: Origin] = [:]
    /// Keys whose text was refused.
    private var refused: Set<String> = []

    init(layers: [Layer]) { self.layers = layers }

    mutating func note(_ problem: ConfigurationProblem) { problems.append(problem) }

    /// The value of a key, the fallback where no layer sets it or its text is invalid.
    /// - Parameters:
    ///   - index: position in the list for keys with `[]`.
    ///   - fallback: stands for the key's own default.
    mutating func read<Value>(_ key: Key<Value>, at index: Int? = nil, fallback: Value? = nil) -> Value {
        let name = Self.concrete(key.entry.name, index)
        var value = fallback ?? key.fallback
        var origin = Origin.default
        if let (text, layer) = find(name, shape: key.entry.shape) {
            origin = layer.origin(of: name)
            do {
                value = try key.form.parse(text)
            } catch {
                refused.insert(name)
                note(invalid(name, text, expected: error.expected, entry: key.entry, at: origin))
            }
        } else if key.entry.isRequired, fallback == nil {
            note(missing(name, key.entry))
        }
        origins[name] = origin
        settings.append(Setting(name: name, value: .init(key.form.show(value)), origins: [origin]))
        return value
    }

    /// A map: the default's entries, overlaid by those of each layer.
    mutating func read<Element>(_ key: MapKey<Element>, at index: Int? = nil) -> [String: Element] {
        let name = Self.concrete(key.entry.name, index)
        var values = key.fallback
        var entryOrigins: [String: Origin] = [:]
        for layer in layers.reversed() {
            guard case .list(let items) = layer.text(name, shape: .map) else { continue }
            for item in items {
                guard let equals = item.firstIndex(of: "=") else {
                    note(
                        invalid(
                            name, .scalar(item), expected: "entries of the form name=value, separated by commas",
                            entry: key.entry, at: layer.origin(of: name)))
                    continue
                }
                let given = String(item[..<equals]).trimmed
                let entry = key.foldsCase ? given.lowercased() : given
                let text = String(item[item.index(after: equals)...]).trimmed
                let place = layer.origins["\(name).\(given)"] ?? layer.origin(of: name)
                do {
                    values[entry] = try key.form.parse(.scalar(text))
                    entryOrigins[entry] = place
                } catch {
                    let full = "\(name).\(given)"
                    note(invalid(full, .scalar(text), expected: error.expected, entry: key.entry, at: place))
                }
            }
        }
        for (entry, origin) in entryOrigins { origins["\(name).\(entry)"] = origin }
        let sorted = values.sorted { $0.key < $1.key }
        settings.append(
            Setting(
                name: name, value: .map(sorted.map { ($0.key, key.form.shownText($0.value)) }),
                origins: sorted.map { entryOrigins[$0.key] ?? .default }))
        return values
    }

    /// How many elements a list of groups has over all layers, up to the first gap; nil where no layer gives any.
    /// - Parameter isEmptyByDefault: false where elements stand in for a list that is not given.
    mutating func count(of list: String, maximum: Int, isEmptyByDefault: Bool = true) -> Int? {
        let given = layers.reduce(into: Set<Int>()) { $0.formUnion($1.elements[list] ?? []) }
        let isEmptied = layers.contains { $0.elements[list]?.isEmpty == true }
        if given.isEmpty {
            if !isEmptied, !isEmptyByDefault { return nil }
            settings.append(Setting(name: list, value: .list([]), origins: [.default]))
            return isEmptied ? 0 : nil
        }
        let place = layers.lazy.compactMap { $0.origin(withPrefix: list + ".") }.first
        if given.count > maximum {
            let message = "`\(list)` has \(given.count) elements; at most \(maximum) are allowed"
            note(ConfigurationProblem(message, at: place))
        }
        let count = min(given.count, maximum)
        if let gap = (0..<count).first(where: { !given.contains($0) }), let highest = given.max() {
            let origin = layers.lazy.compactMap { $0.origin(withPrefix: "\(list).\(highest).") }.first
            note(
                ConfigurationProblem(
                    "`\(list)` has an element \(highest) but no element \(gap)", at: origin,
                    remedy: "number the elements from 0 without gaps"))
            return gap == 0 ? nil : gap
        }
        return count
    }

    /// Whether any layer gives this key.
    func isSet(_ entry: KeyEntry, at index: Int) -> Bool {
        (origins[Self.concrete(entry.name, index)] ?? .default) != .default
    }

    /// Keys that mean nothing here are not listed.
    mutating func leaveOut(_ entries: [KeyEntry], at index: Int) {
        let names = Set(entries.map { Self.concrete($0.name, index) })
        settings.removeAll { names.contains($0.name) }
    }

    func hasProblem(_ entry: KeyEntry, at index: Int) -> Bool { refused.contains(Self.concrete(entry.name, index)) }

    func origin(of entry: KeyEntry, at index: Int? = nil) -> Origin {
        origins[Self.concrete(entry.name, index)] ?? .default
    }

    static func concrete(_ name: String, _ index: Int?) -> String {
        index.map { name.replacing("[]", with: ".\($0)") } ?? name
    }

    private func find(_ name: String, shape: KeyEntry.Shape) -> (SettingText, Layer)? {
        for layer in layers {
            if let text = layer.text(name, shape: shape) { return (text, layer) }
        }
        return nil
    }

    private func invalid(
        _ name: String, _ text: SettingText, expected: String, entry: KeyEntry, at origin: Origin
    ) -> ConfigurationProblem {
        var shown =
            switch text {
            case .scalar(let scalar): scalar
            case .list(let items): items.joined(separator: ", ")
            }
        if shown.count > 80 { shown = shown.prefix(77) + "…" }
        shown = entry.isSecret ? Secret.mask : CredentialMask.maskingPasswords(in: shown)
        return ConfigurationProblem("`\(name)` is \"\(shown)\"; expected \(expected)", at: origin)
    }

    private func missing(_ name: String, _ entry: KeyEntry) -> ConfigurationProblem {
        let element = name.split(separator: ".").dropLast().joined(separator: ".") + "."
        let list = entry.name.prefix { $0 != "[" }
        return ConfigurationProblem(
            "`\(name)` is missing; expected \(entry.accepted)",
            at: layers.lazy.compactMap { $0.origin(withPrefix: element) }.first,
            remedy: "every element of `\(list)` needs one")
    }
}

/// A value as the listing shows it.
struct Setting: Sendable {
    enum Value: Sendable {
        case scalar(String)
        case list([String])
        case map([(name: String, text: String)])

        init(_ text: SettingText) {
            switch text {
            case .scalar(let scalar): self = .scalar(scalar)
            case .list(let items): self = .list(items)
            }
        }
    }

    /// Concrete: `sources.0.kind`.
    var name: String
    var value: Value
    /// One, or one per entry of a map.
    var origins: [Origin]
}

extension ValueForm {
    /// The text of a value of a one-text form.
    func shownText(_ value: Value) -> String {
        if case .scalar(let text) = show(value) { text } else { "" }
    }
}
