// SPDX-License-Identifier: Apache-2.0
// The CPU: which cores and instructions the library uses, and packed weights for another CPU.
#pragma once

#include <vitrine/export.h>

#include <span>
#include <string_view>
#include <vitrine/model.hpp>
#include <vitrine/status.hpp>

namespace vitrine {

/// Returns the name of the instruction set that the kernels use, for example "AVX3_ZEN4", "NEON" or
/// "NEON_BF16". The string is static.
VITRINE_API const char* InstructionSet();

/// Restricts the calling thread, and the threads of sessions that it creates later, to these CPU cores
/// (Linux's numbers). Empty: to the fast cores of a machine that has fast and slow ones. A ViT runs best
/// there, because the work is divided evenly and all threads would wait for a slow core. Fails with
/// kInvalidArgument when the thread may not run on any of these cores.
VITRINE_API Status UseProcessors(std::span<const int> processors = {});

/// A class of CPU cores that use the same layout of packed weights.
struct CpuClass {
  std::string_view name;   ///< for example "dotprod"
  std::string_view cores;  ///< for example "cortex-a55 cortex-a75 ..."
};

/// Returns all classes that PackForCpu() supports. The data is static.
VITRINE_API std::span<const CpuClass> CpuClasses();

/// Returns the class that `cpu` names, which is a class or one of its cores; null when there is none.
VITRINE_API const CpuClass* FindCpuClass(std::string_view cpu);

/// Writes packed weights for another CPU to `path`: the same bytes that a session of `model` would write on a
/// CPU that `cpu` names (see FindCpuClass), so that the first start there is as fast as every later one.
/// Fails with kInvalidArgument when there is no such class, kInvalidModel when a weight is damaged, kNotFound
/// when the file cannot be written, or kOutOfMemory.
VITRINE_API Status PackForCpu(const Model& model, std::string_view cpu, const char* path);

}  // namespace vitrine
