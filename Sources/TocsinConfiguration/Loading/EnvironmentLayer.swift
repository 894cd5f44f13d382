internal import Configuration
internal import TocsinCore

/// The layer of environment variables: known names only, aliases and `*_FILE` resolved, empty variables as if unset.
struct EnvironmentLayer {
    private let environment: [String: String]
    private var known: [String: String] = [:]
    private var origins: [String: Origin] = [:]
    private var elements: [String: Set<Int>] = [:]
    private var lines: [String: [String]] = [:]
    private(set) var problems: [ConfigurationProblem] = []

    /// Secrets are short; more is a mistake of the path.
    private static let maximumSecretBytes = 64 << 10

    init(_ environment: [String: String]) {
        self.environment = environment.filter { !$0.value.isEmpty }
        for entry in KeyRegistry.entries {
            guard let bracket = entry.name.firstRange(of: "[]") else {
                take(entry, as: entry.name)
                continue
            }
            let list = String(entry.name[..<bracket.lowerBound])
            for index in indices(of: list) where take(entry, as: SettingReader.concrete(entry.name, index)) {
                elements[list, default: []].insert(index)
            }
        }
    }

    var layer: Layer {
        Layer(
            provider: EnvironmentVariablesProvider(environmentVariables: known), origins: origins, elements: elements,
            lines: lines)
    }

    /// The numbers that stand behind the list's name in some variable's name.
    private func indices(of list: String) -> [Int] {
        let prefix = EnvironmentName.of(list) + "_"
        let numbers = environment.keys.compactMap { name -> Int? in
            guard name.hasPrefix(prefix) else { return nil }
            let digits = name.dropFirst(prefix.count).prefix { $0 != "_" }
            return KeyRegistry.isIndex(digits) ? Int(digits) : nil
        }
        return Set(numbers).sorted()
    }

    @discardableResult
    private mutating func take(_ entry: KeyEntry, as key: String) -> Bool {
        let name = EnvironmentName.of(key)
        for variable in [name] + entry.aliases {
            if let text = environment[variable] {
                known[name] = text
                origins[key] = .environment(variable: variable)
                if entry.canComeFromFile, environment[variable + "_FILE"] != nil {
                    problems.append(
                        ConfigurationProblem(
                            "both \(variable) and \(variable)_FILE are set", at: .environment(variable: variable),
                            remedy: "unset one of them"))
                }
                return true
            }
            if entry.canComeFromFile, let path = environment[variable + "_FILE"] {
                takeText(of: entry, from: path, variable: variable, name: name, as: key)
                return true
            }
        }
        return false
    }

    private mutating func takeText(
        of entry: KeyEntry, from path: String, variable: String, name: String, as key: String
    ) {
        let origin = Origin.environmentFile(variable: variable + "_FILE", path: path)
        do {
            let bytes = try TextFile.read(path, maximumBytes: Self.maximumSecretBytes)
            // Editors and `echo` end files with a line end that is not part of the text.
            let text = String(decoding: bytes, as: UTF8.self).trimmed
            if entry.shape == .map {
                // As clients of Kafka have them: a password may hold a comma.
                lines[key] = text.split(whereSeparator: \.isNewline).map { String($0).trimmed }
                    .filter { !$0.isEmpty && !$0.hasPrefix("#") }
            } else {
                known[name] = text
            }
            origins[key] = origin
        } catch {
            problems.append(ConfigurationProblem(error.message, at: origin, remedy: error.remedy))
        }
    }
}
