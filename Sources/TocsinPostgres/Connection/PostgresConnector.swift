internal import Synchronization
internal import TocsinCore

/// Makes connections, not faster than the server can bear when it refuses them.
final class PostgresConnector: Sendable {
    let settings: PostgresSettings
    private let delay = Mutex(ReconnectDelay())
    private let made = Atomic<UInt64>(0)

    init(_ settings: PostgresSettings) { self.settings = settings }

    /// Blocks the calling thread.
    func connect(isWriter: Bool) throws -> PostgresConnection {
        if let refusal = delay.withLock({ $0.refusal(at: .now) }) { throw refusal }
        let number = made.wrappingAdd(1, ordering: .relaxed).newValue
        do {
            let connection = try PostgresConnection(settings, number: number, isWriter: isWriter)
            delay.withLock { $0.succeed() }
            return connection
        } catch {
            let error = translate(error)
            // Being short of connections says nothing about the server's health; all the same it must not be flooded.
            if error.isRetriable { delay.withLock { $0.fail(error, at: .now, chance: .random(in: 0...1)) } }
            throw error
        }
    }

    func translate(_ error: any Error) -> TocsinError {
        switch error {
        case let error as TocsinError: error
        case let failure as ServerFailure:
            PostgresFailure.error(state: failure.state, message: failure.message, place: settings.place)
        default:
            TocsinError(.store, "a statement was given up: \(error)", place: settings.place, isRetriable: true)
        }
    }
}
