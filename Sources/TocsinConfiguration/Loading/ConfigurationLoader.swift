internal import TocsinCore

/// Reads the configuration: defaults, then the YAML file, then the environment, then flags, each stronger than the
/// one before.
///
/// ```swift
/// let loaded = try ConfigurationLoader(
///     file: "tocsin.yaml", environment: ["SERVER_PORT": "9000"], flags: ["log.level": "debug"]
/// ).load()
/// loaded.configuration.server.port   // 9000
/// loaded.origins["server.port"]      // environment variable SERVER_PORT
/// ```
public struct ConfigurationLoader: Sendable {
    private let file: String?
    private let environment: [String: String]
    private let flags: [String: String]
    private let flagNames: [String: String]

    /// - Parameters:
    ///   - file: path of the YAML file; nil for none.
    ///   - environment: the process' environment; only known names are read.
    ///   - flags: text by dotted key (`sources.0.path`); lists separated by commas.
    ///   - flagNames: for messages, how a key's flag is written where not as `--key` (`["server.port": "--port"]`).
    public init(
        file: String?, environment: [String: String] = [:], flags: [String: String] = [:],
        flagNames: [String: String] = [:]
    ) {
        self.file = file
        self.environment = environment
        self.flags = flags
        self.flagNames = flagNames
    }

    /// - Throws: every problem of all layers together.
    public func load() throws(ConfigurationErrors) -> LoadedConfiguration {
        let flagLayer = FlagLayer(flags, names: flagNames)
        let environmentLayer = EnvironmentLayer(environment)
        var layers = [flagLayer.layer, environmentLayer.layer]
        var problems = flagLayer.problems + environmentLayer.problems
        if let file {
            let fileLayer = YAMLLayer(path: file)
            layers.append(fileLayer.layer)
            problems += fileLayer.problems
        }

        var reader = SettingReader(layers: layers)
        let configuration = TocsinConfiguration(from: &reader)
        problems += reader.problems
        guard problems.isEmpty else {
            throw ConfigurationErrors(problems: problems.sorted(by: ConfigurationProblem.precedes).map(\.error))
        }
        return LoadedConfiguration(
            configuration: configuration, origins: reader.origins, settings: reader.settings)
    }
}

/// A checked configuration and where each value came from.
public struct LoadedConfiguration: Sendable {
    public var configuration: TocsinConfiguration
    /// By concrete key: `server.port`, `sources.0.kind`, `input.validRanges.temperature`.
    public let origins: [String: Origin]
    let settings: [Setting]
}
