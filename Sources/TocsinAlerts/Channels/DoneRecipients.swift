internal import Synchronization

/// Who of several recipients has a message already, while it is tried again for the others. Kept in memory: after a crash
/// a recipient may get it twice, never not at all.
final class DoneRecipients: Sendable {
    private let done = Mutex<[String: Set<String>]>([:])
    /// Messages that were given up are not reported here: the oldest knowledge goes.
    private static let limit = 1000

    func waiting(of recipients: [String], for key: String) -> [String] {
        let done = done.withLock { $0[key] ?? [] }
        return recipients.filter { !done.contains($0) }
    }

    func note(_ recipient: String, for key: String) {
        done.withLock { done in
            if done.count >= Self.limit, done[key] == nil { done.removeAll() }
            done[key, default: []].insert(recipient)
        }
    }

    func forget(_ key: String) { done.withLock { $0[key] = nil } }
}
