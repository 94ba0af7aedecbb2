// SPDX-License-Identifier: Apache-2.0
// What all calls of the C interface share: open handles, the last error, and structures of an older version.
#pragma once

#include <vitrine/vitrine.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <utility>
#include <vitrine/vitrine.hpp>

#include "runtime/c/handles.h"

namespace vitrine {

/// What a vitrine_session refers to.
struct CSession {
  CSession(std::shared_ptr<Model> opened, Session created)
      : model(std::move(opened)), session(std::move(created)) {}

  std::shared_ptr<Model> model;  ///< kept open until the session is closed
  Session session;
  std::atomic<bool> is_used{false};  ///< whether a thread is in a call on it
};

/// The objects of all open handles.
struct Tables {
  HandleTable<vitrine_model, Model> models;
  HandleTable<vitrine_session, CSession> sessions;
  HandleTable<vitrine_pool, ThreadPool> pools;
};

/// Returns the tables. They are created at the first use and never destroyed, because a thread may be in a
/// call while the process ends.
Tables& AllTables();

/// Stores the message as this thread's last error. Returns the status's code.
vitrine_status Fail(const Status& status);

/// Returns VITRINE_OK, or the failure like Fail().
inline vitrine_status Returned(const Status& status) { return status.ok() ? VITRINE_OK : Fail(status); }

/// Stores `message` as this thread's last error. Returns `code`.
vitrine_status Refuse(const char* message, vitrine_status code = VITRINE_INVALID_ARGUMENT);

/// A session in use by this thread. Until the end of its scope, calls from other threads fail with
/// VITRINE_BUSY.
class Use {
 public:
  explicit Use(vitrine_session handle) : record_(AllTables().sessions.Find(handle)) {
    if (record_ == nullptr) {
      status_ = Refuse("the session is not open");
    } else if (record_->is_used.exchange(true, std::memory_order_acquire)) {
      record_ = nullptr;
      status_ = Refuse("another thread is using the session", VITRINE_BUSY);
    }
  }
  Use(const Use&) = delete;
  ~Use() {
    if (record_ != nullptr) record_->is_used.store(false, std::memory_order_release);
  }

  /// Returns VITRINE_OK when the session may be used.
  vitrine_status status() const { return status_; }
  Session& session() const { return record_->session; }
  const Model& model() const { return *record_->model; }

 private:
  std::shared_ptr<CSession> record_;
  vitrine_status status_ = VITRINE_OK;
};

/// Returns function(use), or the failure when the session is not open or another thread is using it.
template <typename Function>
vitrine_status With(vitrine_session handle, const Function& function) {
  const Use use(handle);
  return use.status() != VITRINE_OK ? use.status() : function(use);
}

/// Returns whether a structure exists and has at least the members of version 1.0.
template <typename Struct>
bool IsKnown(const Struct* value, size_t size_in_version_1_0) {
  return value != nullptr && value->struct_size >= size_in_version_1_0;
}

/// Returns the members that the caller's version has, and 0 for later ones.
template <typename Struct>
Struct ReadStruct(const Struct* from) {
  Struct read = {};
  std::memcpy(static_cast<void*>(&read), from, std::min(from->struct_size, sizeof read));
  return read;
}

/// Sets the members that the caller's version has.
template <typename Struct>
vitrine_status WriteStruct(Struct* to, Struct from) {
  from.struct_size = to->struct_size;
  std::memcpy(static_cast<void*>(to), &from, std::min(to->struct_size, sizeof from));
  return VITRINE_OK;
}

}  // namespace vitrine
