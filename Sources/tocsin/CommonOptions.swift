internal import ArgumentParser
#if canImport(Glibc)
@preconcurrency internal import Glibc
#elseif canImport(Darwin)
internal import Darwin
#endif
internal import Logging
internal import TocsinApp
internal import TocsinConfiguration
internal import TocsinCore

/// Configuration for every command that needs one: file, then environment, then flags.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: [.short, .long], help: "YAML file; docs/configuration.md has every key.",
        completion: .file(extensions: ["yaml", "yml"]))
    var config: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Sets one key, e.g. --set engine.shards=4; may be repeated.", valueName: "key=value"))
    var set: [String] = []

    @Option(name: .long, help: "Folder for database and alert log (data.directory).", completion: .directory)
    var dataDir: String?

    @Option(name: .long, help: "trace, debug, info, notice, warning, error or critical (log.level).")
    var logLevel: String?

    /// - Parameter flags: what the command's own options say; `--set` wins over them.
    func load(_ flags: [String: String] = [:]) throws -> LoadedConfiguration {
        var all = flags
        if let dataDir { all["data.directory"] = dataDir }
        if let logLevel { all["log.level"] = logLevel }
        for pair in set {
            guard let equals = pair.firstIndex(of: "="), equals > pair.startIndex else {
                throw ValidationError("--set takes key=value, not '\(pair)'")
            }
            all[String(pair[..<equals])] = String(pair[pair.index(after: equals)...])
        }
        return try ConfigurationLoader(file: config, environment: Terminal.environment, flags: all).load()
    }
}

/// Standard streams and how a command ends.
enum Terminal {
    static var environment: [String: String] { ProcessEnvironment.variables }

    static func complain(_ text: String) { write(text + "\n") }

    /// To standard error.
    static func write(_ text: String) { fputs(text, stderr) }

    static var errorsAreShown: Bool { isatty(STDERR_FILENO) == 1 }

    /// Runs a command's work and turns errors into a message and the documented exit code.
    static func run(_ body: () async throws -> Void) async throws {
        // Lines appear when they are printed, also through a pipe.
        setvbuf(stdout, nil, _IOLBF, 0)
        do {
            try await body()
        } catch let error as ConfigurationErrors {
            complain("\(error)")
            throw ExitCode(78)
        } catch let error as TocsinError {
            complain("error: \(error)")
            throw ExitCode(error.code == .configuration ? 78 : error.code == .usage ? 64 : 1)
        } catch is CancellationError {
            throw ExitCode(1)
        } catch let error as ExitCode {
            throw error
        } catch let error as ValidationError {
            throw error
        } catch {
            complain("error: \(error)")
            throw ExitCode(1)
        }
    }
}
