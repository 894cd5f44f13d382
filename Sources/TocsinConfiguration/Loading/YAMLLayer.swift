internal import Configuration
internal import TocsinCore
internal import Yams

/// The layer of the YAML file, flattened to dotted keys with their lines.
///
/// The library's own YAML provider refuses lists of mappings (`sources`) and stops at the first fault, so the file
/// is read here and handed to an in-memory provider.
struct YAMLLayer {
    private let path: String
    private var builder = LayerBuilder()
    private(set) var problems: [ConfigurationProblem] = []
    /// Nodes still allowed: aliases can make a short text explode ("billion laughs").
    private var budget = 100_000

    private static let maximumBytes = 1 << 20

    init(path: String) {
        self.path = path
        do {
            var bytes = try TextFile.read(path, maximumBytes: Self.maximumBytes)
            if bytes.starts(with: [0xef, 0xbb, 0xbf]) { bytes.removeFirst(3) }
            guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
                let message = "the configuration file is not text in UTF-8"
                problems.append(ConfigurationProblem(message, place: path, remedy: "save it as UTF-8"))
                return
            }
            parse(text)
        } catch {
            problems.append(
                ConfigurationProblem("configuration file: \(error.message)", place: path, remedy: error.remedy))
        }
    }

    var layer: Layer { builder.layer(named: path) }

    private mutating func parse(_ text: String) {
        do {
            // The basic resolver leaves every scalar as it is written: types are the registry's business.
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            guard let root = try parser.singleRoot() else { return }
            switch root {
            case .mapping(let mapping): walk(mapping, group: "", key: "")
            case _ where root.isNull: break
            default: note("the file holds no keys", at: root, remedy: "write `key: value` lines, such as `server:`")
            }
        } catch {
            let (message, line) = Self.describe(error, text)
            problems.append(
                ConfigurationProblem(
                    message, at: .file(path: path, line: line), remedy: Self.remedy(line: line, of: text)))
        }
    }

    /// - Parameters:
    ///   - group: the registry's name (`sources[]`).
    ///   - key: the concrete name (`sources.0`).
    private mutating func walk(_ mapping: Node.Mapping, group: String, key: String) {
        var merged: [Node.Mapping] = []
        for (nameNode, value) in mapping {
            guard spend(on: nameNode) else { return }
            guard case .scalar(let scalar) = nameNode else {
                note("a key must be a plain word", at: nameNode)
                continue
            }
            let name = scalar.string
            if name == "<<" {
                merged += ([value] + (value.sequence.map(Array.init) ?? [])).compactMap(\.mapping)
                continue
            }
            let pattern = group.isEmpty ? name : "\(group).\(name)"
            let concrete = key.isEmpty ? name : "\(key).\(name)"
            // Names with dots or brackets would pass for paths.
            let isPlain = !name.contains(".") && !name.contains("[")
            if isPlain, let entry = KeyRegistry.byName[pattern] {
                take(entry, concrete, nameNode, value)
            } else if isPlain, KeyRegistry.groupLists.contains(pattern) {
                walkList(value, list: pattern, at: nameNode)
            } else if isPlain, KeyRegistry.groups.contains(pattern) {
                if case .mapping(let inner) = value {
                    walk(inner, group: pattern, key: concrete)
                } else if !value.isNull {
                    let known = KeyRegistry.children(of: pattern).joined(separator: ", ")
                    note("`\(concrete)` is a group of keys, not a value", at: nameNode, remedy: "known in it: \(known)")
                }
            } else {
                noteUnknown(name, concrete, group: group, at: nameNode)
            }
        }
        // After the group's own keys, which win (YAML merge key type, yaml.org/type/merge.html).
        for inner in merged { walk(inner, group: group, key: key) }
    }

    private mutating func walkList(_ value: Node, list: String, at nameNode: Node) {
        if value.isNull { return }
        guard case .sequence(let sequence) = value else {
            return note("`\(list)` must be a list", at: nameNode, remedy: "begin each element with `- `")
        }
        if sequence.isEmpty { builder.declareEmpty(list) }
        for (index, element) in sequence.enumerated() {
            guard spend(on: element) else { return }
            guard case .mapping(let mapping) = element else {
                let known = KeyRegistry.children(of: list + "[]").joined(separator: ", ")
                note("element \(index) of `\(list)` must be a group of keys", at: element, remedy: "known: \(known)")
                continue
            }
            builder.addElement(index, of: list)
            walk(mapping, group: list + "[]", key: "\(list).\(index)")
        }
    }

    /// `[-50, 120]` as `-50..120`.
    private static func range(_ pair: Node.Sequence) -> String {
        pair.compactMap(\.scalar?.string).joined(separator: "..")
    }

    private mutating func take(_ entry: KeyEntry, _ key: String, _ nameNode: Node, _ value: Node) {
        if value.isNull || builder.has(key) { return }
        let origin = origin(of: nameNode)
        switch (entry.shape, value) {
        case (.scalar, .scalar(let scalar)):
            builder.set(key, .scalar(scalar.string), at: origin, isSecret: entry.isSecret)
        case (.scalar, .sequence(let pair)) where entry.type == "range" && pair.count == 2:
            builder.set(key, .scalar(Self.range(pair)), at: origin, isSecret: entry.isSecret)
        case (.list, .scalar(let scalar)):
            builder.set(key, .list(LayerBuilder.items(scalar.string)), at: origin, isSecret: entry.isSecret)
        case (.list, .sequence(let sequence)):
            let items = sequence.compactMap(\.scalar?.string)
            guard items.count == sequence.count, items.count <= budget else {
                return note("`\(key)` must be a list of single values", at: nameNode)
            }
            budget -= items.count
            builder.set(key, .list(items), at: origin, isSecret: entry.isSecret)
        case (.map, .mapping(let mapping)):
            takeMap(entry, key, mapping)
        case (.map, _):
            note("`\(key)` must be a map of names to values", at: nameNode, remedy: "write `name: value` below it")
        default:
            note("`\(key)` must be one value; expected \(entry.accepted)", at: nameNode)
        }
    }

    private mutating func takeMap(_ entry: KeyEntry, _ key: String, _ mapping: Node.Mapping) {
        for (nameNode, value) in mapping {
            guard spend(on: nameNode) else { return }
            guard let name = nameNode.scalar?.string, !name.isEmpty, !name.contains("=") else {
                note("a name in `\(key)` must be a plain word", at: nameNode)
                continue
            }
            let text: String? =
                switch value {
                case .scalar(let scalar): scalar.string
                // A pair is a range: [-50, 120].
                case .sequence(let pair) where pair.count == 2 && pair.allSatisfy { $0.scalar != nil }:
                    Self.range(pair)
                default: nil
                }
            guard let text else {
                note("`\(key).\(name)`: expected \(entry.accepted)", at: nameNode)
                continue
            }
            builder.set(key, entry: name, text, at: origin(of: nameNode), isSecret: entry.isSecret)
        }
    }

    private mutating func noteUnknown(_ name: String, _ key: String, group: String, at node: Node) {
        let shown = key.count > 100 ? key.prefix(97) + "…" : key
        if name.contains("."), KeyRegistry.entry(for: key) != nil {
            let nested = name.split(separator: ".").joined(separator: ": ")
            return note("unknown key `\(shown)`", at: node, remedy: "nest it: `\(nested):`, one level a line")
        }
        note("unknown key `\(shown)`", at: node, remedy: KeyRegistry.suggestion(for: name, in: group))
    }

    private mutating func note(_ message: String, at node: Node, remedy: String? = nil) {
        problems.append(ConfigurationProblem(message, at: origin(of: node), remedy: remedy))
    }

    private mutating func spend(on node: Node) -> Bool {
        budget -= 1
        if budget == 0 { note("the file has too many entries, or aliases that multiply them", at: node) }
        return budget > 0
    }

    private func origin(of node: Node) -> Origin { .file(path: path, line: node.mark?.line ?? 1) }
}

extension Node {
    /// `key:` with nothing behind it, `~` or `null`: as if the key were not there.
    var isNull: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain || scalar.style == .any else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}
