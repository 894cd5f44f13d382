internal import Synchronization
internal import TocsinSpool

/// Files that exist in memory only.
final class MemoryFiles: FileOperations {
    private struct State {
        var contents: [Int32: [UInt8]] = [:]
        var numbers: [String: Int32] = [:]
        var next: Int32 = 1
    }

    private let state = Mutex(State())

    init(_ files: [String: [UInt8]]) {
        state.withLock { state in
            for (path, bytes) in files {
                state.numbers[path] = state.next
                state.contents[state.next] = bytes
                state.next += 1
            }
        }
    }

    func open(_ path: String, _ access: FileAccess) throws(FileFailure) -> Int32 {
        let number: Int32? = state.withLock { state in
            if let known = state.numbers[path] {
                if case .replacing = access { state.contents[known] = [] }
                return known
            }
            switch access {
            case .reading, .writing: return nil
            case .creating, .replacing:
                state.next += 1
                state.numbers[path] = state.next
                state.contents[state.next] = []
                return state.next
            }
        }
        guard let number else { throw FileFailure(operation: "open", path: path, code: 2, reason: "no such file") }
        return number
    }

    func close(_ descriptor: Int32) {}

    func size(_ descriptor: Int32) throws(FileFailure) -> Int64 {
        Int64(state.withLock { $0.contents[descriptor]?.count ?? 0 })
    }

    func read(_ descriptor: Int32, at offset: Int64, count: Int) throws(FileFailure) -> [UInt8] {
        check(offset >= 0 && count >= 0 && count <= 1 << 31, "reads lie in a file")
        return state.withLock { state in
            let bytes = state.contents[descriptor] ?? []
            return Array(bytes.dropFirst(Int(clamping: offset)).prefix(count))
        }
    }

    func write(_ descriptor: Int32, _ bytes: Span<UInt8>, at offset: Int64) throws(FileFailure) -> Int {
        check(offset >= 0 && offset < 1 << 26, "writes lie near the content")
        let copy = bytes.indices.map { bytes[$0] }
        state.withLock { state in
            var content = state.contents[descriptor] ?? []
            let end = Int(offset) + copy.count
            if content.count < end { content.append(contentsOf: repeatElement(0, count: end - content.count)) }
            content.replaceSubrange(Int(offset)..<end, with: copy)
            state.contents[descriptor] = content
        }
        return copy.count
    }

    func truncate(_ descriptor: Int32, to length: Int64) throws(FileFailure) {
        check(length >= 0 && length < 1 << 26, "a file is cut near its content")
        state.withLock { state in
            var content = state.contents[descriptor] ?? []
            let missing = Int(length) - content.count
            if missing > 0 {
                content.append(contentsOf: repeatElement(0, count: missing))
            } else {
                content.removeLast(-missing)
            }
            state.contents[descriptor] = content
        }
    }

    func sync(_ descriptor: Int32) throws(FileFailure) {}
    func lock(_ descriptor: Int32) throws(FileFailure) -> Bool { true }
    func createFolder(_ path: String) throws(FileFailure) {}
    func syncFolder(_ path: String) throws(FileFailure) {}

    func rename(_ path: String, to target: String) throws(FileFailure) {
        state.withLock { $0.numbers[target] = $0.numbers.removeValue(forKey: path) }
    }

    func remove(_ path: String) throws(FileFailure) {
        state.withLock { state in _ = state.numbers.removeValue(forKey: path) }
    }

    func names(in folder: String) throws(FileFailure) -> [String] {
        state.withLock { state in
            state.numbers.keys.filter { $0.hasPrefix(folder + "/") }.map { String($0.dropFirst(folder.count + 1)) }
        }
    }
}
