import Foundation
import Testing
import TocsinCore
import TocsinLake

@Suite struct PlacesFolderTests {
    let folder: TestFolder
    let storage: FolderStorage

    init() throws {
        folder = try TestFolder()
        storage = try FolderStorage(folder.file("lake"))
    }

    private func local(_ text: String) throws -> String {
        let name = "local-\(UUID().uuidString)"
        try folder.write(Array(text.utf8), to: name)
        return folder.file(name)
    }

    @Test func aFileIsThereUnderItsName() async throws {
        let source = try local("one")
        try await storage.put(file: source, as: "bronze/events/a.parquet")
        #expect(try await storage.get("bronze/events/a.parquet") == Array("one".utf8))
        #expect(FileManager.default.fileExists(atPath: source))
        try await storage.move(file: try local("two"), as: "bronze/events/a.parquet")
        #expect(try await storage.get("bronze/events/a.parquet") == Array("two".utf8))
        try await storage.put(Array("three".utf8), as: "bronze/events/a.parquet")
        #expect(try await storage.get("bronze/events/a.parquet") == Array("three".utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("lake/.incoming")) == [])
    }

    @Test func listsByPrefixInTheOrderOfNames() async throws {
        for name in ["b/2", "b/10", "a/x/1", "b/c/3", "bb"] { try await storage.put(file: try local(name), as: name) }
        try folder.write([1], to: "lake/b/.hidden")
        #expect(try await storage.list(prefix: "").map(\.name) == ["a/x/1", "b/10", "b/2", "b/c/3", "bb"])
        #expect(try await storage.list(prefix: "b/").map(\.name) == ["b/10", "b/2", "b/c/3"])
        #expect(try await storage.list(prefix: "b/1").map(\.name) == ["b/10"])
        #expect(try await storage.list(prefix: "b").map(\.name) == ["b/10", "b/2", "b/c/3", "bb"])
        #expect(try await storage.list(prefix: "c/").isEmpty)
        #expect(try await storage.list(prefix: "b/2").first?.bytes == 3)
    }

    @Test func deletingTakesEmptyFoldersAlong() async throws {
        try await storage.put(file: try local("1"), as: "a/b/c")
        try await storage.delete("a/b/c")
        try await storage.delete("a/b/c")
        #expect(!FileManager.default.fileExists(atPath: folder.file("lake/a")))
        await #expect(throws: TocsinError.self) { try await storage.get("a/b/c") }
    }

    @Test(arguments: ["../x", "a/../../x", "/etc/x", "", "a//b", ".lock", "a/.incoming", "a\0b"])
    func namesThatLeaveTheFolderAreRefused(name: String) async throws {
        let source = try local("x")
        await #expect(throws: TocsinError.self) { try await storage.put(file: source, as: name) }
        await #expect(throws: TocsinError.self) { try await storage.move(file: source, as: name) }
        await #expect(throws: TocsinError.self) { try await storage.get(name) }
        await #expect(throws: TocsinError.self) { try await storage.delete(name) }
        #expect(FileManager.default.fileExists(atPath: source))
    }

    @Test func whatACrashLeftHalfWrittenIsCleared() async throws {
        try folder.write([1], to: "lake/.incoming/7")
        let again = try FolderStorage(folder.file("lake"))
        #expect(try await again.list(prefix: "").isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("lake/.incoming")) == [])
    }

    @Test func theSecondWriterIsRefusedWithTheOwnersNumber() throws {
        let lock = try LakeLock(folder: folder.file("locked"))
        let error = #expect(throws: TocsinError.self) { try LakeLock(folder: folder.file("locked")) }
        #expect(error?.message.contains("process \(getpid())") == true)
        lock.release()
        _ = try LakeLock(folder: folder.file("locked"))
    }

    @Test func theLockOfADeadProcessIsTakenOver() throws {
        try folder.write(Array("99999999\n".utf8), to: "stale/.lock")
        _ = try LakeLock(folder: folder.file("stale"))
    }
}
